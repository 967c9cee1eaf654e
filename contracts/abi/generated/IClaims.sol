// SPDX-License-Identifier: MIT
// Generated from contracts/abi; do not edit.
pragma solidity ^0.8.20;

interface IClaims {
    /// A record of the claim's chart that the claim rests on; `pointer`: of the version that is meant.
    struct Link {
        bytes32 recordId;
        bytes32 pointer;
    }

    /// What a provider asks an insurer to pay. `document`: sha2-256 digest of the CID of the envelope that holds the claim (FHIR Claim), sealed
    /// to the insurer and the provider alone. `fingerprint`: HMAC over encounter, code, date and provider, with a key that the chart
    /// shares with whoever may claim or adjudicate: the same for the same service, and nothing that can be guessed. `currency`: ISO 4217 numeric.
    /// `billed`: keccak256(document, amount, salt), each 32 bytes; amounts are in the currency's minor unit.
    struct NewClaim {
        bytes32 chart;
        address insurer;
        bytes32 document;
        bytes32 fingerprint;
        uint16 currency;
        bytes32 billed;
        Link[] links;
    }

    /// `claim`: see `claimIdOf`. `currencyVersion`: the insurer's; payment in a token is in the one of this version. `shared`: the service is held
    /// in the registry that insurers share, otherwise in the insurer's own. `previous`: the claim that held it there before and does not any more; zero: none.
    /// `deadline`: for the insurer's decision.
    event ClaimSubmitted(bytes32 indexed claim, bytes32 indexed chart, address indexed insurer, address provider, address by, bytes32 document, bytes32 fingerprint, uint16 currency, bytes32 billed, Link[] links, uint32 currencyVersion, bool shared, bytes32 previous, uint64 deadline);
    // `serial`: the claim's from here on. `by`: the party itself, or its member.
    event ReviewBegun(bytes32 indexed claim, uint8 serial, address by);
    /// `document`: what is asked for, sealed as the claim is. `deadline`: for the provider's answer.
    event InformationRequested(bytes32 indexed claim, uint8 serial, address by, bytes32 document, uint64 deadline);
    /// `deadline`: for the insurer's decision.
    event InformationProvided(bytes32 indexed claim, uint8 serial, address by, bytes32 document, uint64 deadline);
    /// `state`: approved, partly approved or denied. `amount`: keccak256(claim, amount, salt) of what is approved; zero: nothing is.
    /// `reasonCode`: see `terms::claim_reason`; 0 where all is approved. `document`: the decision (FHIR ClaimResponse), with amount and salt, sealed as the
    /// claim is; zero where a claim was closed because a party was overdue. `deadline`: for the payment where all is approved, else the end of the appeal window.
    event Adjudicated(bytes32 indexed claim, uint8 serial, address by, uint8 state, bytes32 amount, uint16 reasonCode, bytes32 document, uint64 deadline);
    /// `document`: why. `deadline`: for the insurer's decision.
    event Appealed(bytes32 indexed claim, uint8 serial, address by, bytes32 document, uint64 deadline);
    /// The provider is content with the part that was approved.
    /// `deadline`: for the payment.
    event PartAccepted(bytes32 indexed claim, uint8 serial, address by, uint64 deadline);
    /// `remittance`: salted digest of the reference under which the insurer has paid.
    event Paid(bytes32 indexed claim, uint8 serial, address by, bytes32 remittance);
    /// `value` of `token`, from the insurer to the provider.
    event PaidInToken(bytes32 indexed claim, uint8 serial, address by, address token, uint256 value);
    event Reversed(bytes32 indexed claim, uint8 serial, address by, uint16 reasonCode);
    event Withdrawn(bytes32 indexed claim, uint8 serial, address by);
    /// `shared`: from here on the insurer's claims are held in the registry that insurers share, and looked up in it.
    event InsurerSet(address indexed insurer, uint32 serial, bool shared, address by);
    /// `token` zero: paid outside of the chain alone. Else one minor unit of the currency is 10^`scale` units of the token.
    event CurrencySet(address indexed insurer, uint16 indexed currency, uint32 version, bool accepted, address token, uint8 scale, address by);

    /// `caller` is neither `actor` nor the relay.
    error NotActor(address caller, address actor);
    error ZeroDigest();
    error BatchSize(uint32 given, uint32 most);
    /// A claim rests on at least one record of the chart.
    error LinkCount(uint32 given, uint32 most);
    /// ISO 4217 has numbers of three digits, from 1.
    error CurrencyRange(uint16 currency);
    /// Nobody is the insurer of their own claim.
    error OwnClaim(address provider);
    /// The claim's chart has no such record.
    error UnknownRecord(bytes32 recordId);
    /// The record was entered in error or shredded (`terms::record_status`).
    error RecordStatus(bytes32 recordId, uint8 status);
    /// The record's version is not the one that the claim names.
    error StalePointer(bytes32 given, bytes32 current);
    /// The chart does not let the insurer read this record for payment (HPAYMT): `terms::reason`; 0: there was no answer.
    error NoConsent(bytes32 recordId, uint8 reason);
    /// `party` does not have these roles at present or, where `actor` is another, is no organisation that they are a member of.
    error NotCredentialed(address actor, address party, uint64 roles);
    error NotInsurer(address insurer);
    error CurrencyNotAccepted(address insurer, uint16 currency);
    /// The same claim was submitted before.
    error ClaimExists(bytes32 claim);
    /// This claim is for the same service: it has to be withdrawn, reversed or denied for good before the next.
    error DuplicateService(bytes32 claim);
    error UnknownClaim(bytes32 claim);
    /// `actor` is neither the party whose step this is nor a current member of it.
    error NotParty(address actor, address party);
    /// The claim has moved on since the caller read it.
    error ClaimSerial(uint8 given, uint8 current);
    /// This step does not follow on this state (`terms::claim_state`).
    error ClaimState(bytes32 claim, uint8 state);
    /// The insurer has asked as often as it may: it decides.
    error InformationRounds(uint8 most);
    /// An unknown decision, or one whose amount or reason code does not go with it.
    error MalformedDecision();
    error UnknownReasonCode(uint16 reasonCode);
    /// The other party has time until `deadline`.
    error NotOverdue(uint64 deadline);
    /// The appeal window ended at `deadline`.
    error AppealWindowOver(uint64 deadline);
    /// The provider may appeal until `deadline`; before, they accept the part (`acceptPart`), or nothing is paid.
    error AppealWindowOpen(uint64 deadline);
    error ZeroAmount();
    error AmountTooLarge(uint256 amount, uint256 most);
    /// Amount and salt do not open what was approved.
    error OtherAmount();
    /// When the claim was submitted the insurer had no token for its currency.
    error NoToken(address insurer, uint16 currency);
    /// There is no contract at `token`.
    error NotToken(address token);
    /// The token did not transfer: allowance and balance are the insurer's.
    error TokenRefused(address token);
    /// A token or a scale without use: of a currency that is not accepted, or without a token; or a scale above the most.
    error MalformedCurrency();
    /// The insurer's entry has been replaced since the caller read it.
    error InsurerSerial(uint32 given, uint32 current);
    error CurrencyVersion(uint32 given, uint32 next);

    /// Constants of the code (`link`).
    function neighbours() external view returns (address records, address registry, address relay);

    // `actor`, the first argument of all that changes something: the caller itself, or whoever signed, where the relay calls.
    // `serial`: the claim's, as the caller read it.

    /// By a credentialed provider; `organisation`: the provider that the actor is a member of, zero: themselves. All or none.
    function submitClaims(address actor, address organisation, NewClaim[] calldata claims) external;
    /// By the insurer or its member, of a claim that was received or appealed.
    function beginReview(address actor, bytes32 claim, uint8 serial) external;
    /// By the insurer or its member, where no decision stands. `document`: what is asked for.
    function requestInformation(address actor, bytes32 claim, uint8 serial, bytes32 document) external;
    /// By the provider or its member.
    function provideInformation(address actor, bytes32 claim, uint8 serial, bytes32 document) external;
    /// By the insurer or its member, where no decision stands. `state`: approved (an amount), partly approved (an amount and a reason code) or
    /// denied (a reason code). `amount`: keccak256(claim, amount, salt), which `document` reveals to the parties.
    function adjudicate(address actor, bytes32 claim, uint8 serial, uint8 state, bytes32 amount, uint16 reasonCode, bytes32 document) external;
    /// By the provider or its member, within the appeal window of a claim that was denied or partly approved.
    function appeal(address actor, bytes32 claim, uint8 serial, bytes32 document) external;
    /// By whoever waits in vain: the provider once the insurer is overdue, the insurer once the provider's information is. Denies the
    /// claim, or lets stand what was approved before an appeal.
    function closeOverdue(address actor, bytes32 claim, uint8 serial) external;
    /// By the provider or its member, of a claim that was partly approved.
    function acceptPart(address actor, bytes32 claim, uint8 serial) external;
    /// By the insurer or its member, of a claim that was approved, or partly and its appeal window is over.
    function recordPayment(address actor, bytes32 claim, uint8 serial, bytes32 remittance) external;
    /// As `recordPayment`, by a transfer of the token from the insurer to the provider; who pays so reveals the amount.
    function payInToken(address actor, bytes32 claim, uint8 serial, uint256 amount, bytes32 salt) external;
    /// By the insurer or its member, of a claim that was approved, partly approved or paid.
    function reverseClaim(address actor, bytes32 claim, uint8 serial, uint16 reasonCode) external;
    /// By the provider or its member, before a decision or within the appeal window.
    function withdraw(address actor, bytes32 claim, uint8 serial) external;

    /// All zero where there is none. `deadline`: of what is due next, 0: nothing is. `rounds`: how often information was requested.
    /// `reasonCode`, `amount`: of the last decision, or of the reversal.
    function claimOf(bytes32 claim) external view
        returns (address provider, address insurer, uint8 state, uint8 serial, uint16 currency, uint32 currencyVersion, uint64 submittedAt, uint64 deadline, uint8 rounds, uint8 appeals, uint16 reasonCode, bytes32 amount);
    /// keccak256 of provider, chart, insurer, document, fingerprint, currency, billed and keccak256 of the links, each 32 bytes: whoever
    /// holds what was submitted proves it by the id.
    function claimIdOf(address provider, NewClaim calldata claim) external view returns (bytes32);
    /// The last claim for this service in the registry of an insurer (`namespace`), or in that which insurers share (zero). `holds`: no other can be submitted there.
    function serviceOf(address namespace, address provider, bytes32 fingerprint) external view returns (bytes32 claim, bool holds);

    /// Joins or leaves the registry that insurers share. By an insurer or its member. `serial`: that of the entry which is replaced, 0: the first.
    function setInsurer(address actor, address insurer, uint32 serial, bool shared) external;
    function insurerOf(address insurer) external view returns (uint32 serial, bool shared);
    /// Accepts claims in a currency, or does not any more. By an insurer or its member. `version`: the latest plus one.
    function setCurrency(address actor, address insurer, uint16 currency, uint32 version, bool accepted, address token, uint8 scale) external;
    /// The latest version; 0: never set.
    function currencyOf(address insurer, uint16 currency) external view returns (uint32 version, bool accepted);
    /// All zero where that version has none.
    function tokenOf(address insurer, uint16 currency, uint32 version) external view returns (address token, uint8 scale);
}
