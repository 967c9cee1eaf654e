//! `ITrials`: clinical trials: what was planned before anyone took part, who consented to what, and which data the results come from.
use alloy_sol_types::sol;

// `sol(abi)` cannot stand behind a `cfg_attr`, so the interface is a macro that is called in one of two ways.
macro_rules! interface {
    ($(#[$attribute:meta])*) => {
        sol! {
            $(#[$attribute])*
            #[derive(Debug, PartialEq, Eq)]
            interface ITrials {
                // `document`: digest of what says more, off chain; zero: none. Of a participant's own document it is salted.

                /// `trial`: keccak256 of (sponsor, registration), a word each. These digests are its version 1.
                event TrialRegistered(bytes32 indexed trial, address indexed sponsor, bytes32 registration, bytes32 protocol, bytes32 plan, bytes32 form, bytes32 document);
                /// `reconsent`: who has not consented to this version or a later one takes no part any more.
                event TrialAmended(bytes32 indexed trial, uint8 indexed version, bytes32 protocol, bytes32 plan, bytes32 form, uint8 reasonCode, bool reconsent, bytes32 document);
                /// `serial` counts what was ever set for this site.
                event SiteSet(bytes32 indexed trial, address indexed site, uint32 serial, bool active);
                /// Again, to a later version: a re-consent.
                event Consented(bytes32 indexed trial, address indexed participant, address indexed site, uint8 version, bytes32 document);
                /// `number` (from 1) is the participant's at this site.
                event Enrolled(bytes32 indexed trial, address indexed participant, address indexed site, uint32 number);
                /// `number` 0: never enrolled.
                event ParticipantWithdrew(bytes32 indexed trial, address indexed participant, address indexed site, uint32 number);
                /// `participants`: bit n of word w is number 256 w + n of the site. `flags`: see `terms::batch`. `version`: the trial's at this time.
                /// `data`: keccak256 of (the one before, site, sequence, root), a word each.
                event BatchAnchored(bytes32 indexed trial, address indexed site, uint32 indexed sequence, uint64 from, uint64 to, bytes32 root, uint32 count, uint256[] participants, uint8 flags, uint8 version, bytes32 data, bytes32 document);
                /// From here on no data come, nobody is enrolled, and nothing is amended.
                event DataLocked(bytes32 indexed trial, uint32 batches, bytes32 data);
                /// What follows from `data` by the plan of `version`. `number` from 0: later ones correct earlier ones, which stay.
                event ResultsAnchored(bytes32 indexed trial, uint8 indexed number, uint8 version, bytes32 plan, bytes32 data, bytes32 results, bytes32 document);
                event TrialClosed(bytes32 indexed trial);

                error ZeroAddress();
                error ZeroDigest();
                /// `caller` is neither `actor` nor the relay.
                error NotActor(address caller, address actor);
                /// `actor` has no current credential with `roles`.
                error NotCredentialed(address actor, uint64 roles);
                error TrialExists(bytes32 trial);
                error UnknownTrial(bytes32 trial);
                error NotSponsor(address actor, address sponsor);
                /// Not while the trial is in this state (`terms::trial`).
                error TrialState(bytes32 trial, uint8 state);
                /// `expected`: the version that is current, or that is next.
                error TrialVersion(uint8 given, uint8 expected);
                error TooManyVersions(uint8 most);
                error UnknownReasonCode(uint8 reasonCode);
                /// The site was set again since the caller read it.
                error SiteSerial(uint32 given, uint32 current);
                error SiteUnchanged(address site, bool active);
                /// `site` is no active site of this trial.
                error NotSite(bytes32 trial, address site);
                /// `participant` has never consented.
                error NotParticipant(address participant);
                error OtherSite(address participant, address site);
                /// For good: no later consent undoes it.
                error ConsentWithdrawn(address participant, uint64 at);
                error AlreadyConsented(address participant, uint8 version);
                /// The participant has consented to `version`, and `least` is wanted since.
                error ConsentOutdated(address participant, uint8 version, uint8 least);
                error AlreadyEnrolled(address participant, uint32 number);
                error ZeroSequence();
                error SequenceTaken(address site, uint32 sequence);
                error EmptyBatch();
                error MalformedPeriod(uint64 from, uint64 to);
                error PeriodInFuture(uint64 to, uint64 now);
                /// Data from before the protocol was registered.
                error PeriodBeforeRegistration(uint64 from, uint64 registeredAt);
                /// None, or more than `most` words of participants.
                error ListLength(uint32 given, uint32 most);
                error NoParticipants();
                /// Number `number` of the site was never enrolled, has withdrawn, or has not consented to what is wanted now.
                error NotParticipating(address site, uint32 number);
                /// Batches were anchored since the caller read the trial.
                error BatchCount(uint32 given, uint32 current);
                error ResultNumber(uint8 given, uint8 next);
                error TooManyResults(uint8 most);

                /// Constants of the code (`link`).
                function neighbours() external view returns (address registry, address relay);

                // `actor`, the first argument of all that changes something: the caller itself, or whoever signed, where the relay calls.

                /// Registers a trial: digests of its protocol, statistical analysis plan and consent form. By a current sponsor.
                /// `registration`: keccak256 of its public registration number.
                function registerTrial(address actor, bytes32 registration, bytes32 protocol, bytes32 plan, bytes32 form, bytes32 document) external returns (bytes32 trial);
                /// All zero where there is none. `consentVersion`: the least that participants must have consented to.
                function trialOf(bytes32 trial) external view
                    returns (address sponsor, uint64 registeredAt, uint8 version, uint8 consentVersion, uint8 state);
                /// `withdrawn`: of the enrolled. `lockedAt` 0: not locked. `data`: see `BatchAnchored`; zero before the first batch.
                function countsOf(bytes32 trial) external view
                    returns (uint32 enrolled, uint32 withdrawn, uint32 batches, uint8 results, uint64 lockedAt, bytes32 data);

                /// Appends a version. By the sponsor, while it is current, until the data are locked. `version`: the next one.
                function amendTrial(address actor, bytes32 trial, uint8 version, bytes32 protocol, bytes32 plan, bytes32 form, uint8 reasonCode, bool reconsent, bytes32 document) external;
                /// All zero where there is none. `reasonCode` (`terms::amendment`) 0: of the first.
                function versionOf(bytes32 trial, uint8 version) external view
                    returns (bytes32 protocol, bytes32 plan, bytes32 form, uint64 at, uint8 reasonCode, bool reconsent);

                /// Names or dismisses a site. By the sponsor; only a current one names. `serial`: that which is replaced, 0 where there was none.
                function setSite(address actor, bytes32 trial, address site, uint32 serial, bool active) external;
                /// `last`: the highest sequence number of its batches.
                function siteOf(bytes32 trial, address site) external view
                    returns (uint32 serial, bool active, uint32 enrolled, uint32 withdrawn, uint32 last);

                /// Consents to the current version of the consent form, to take part at this site. By the participant, under an account for this trial alone.
                function consent(address actor, bytes32 trial, address site, uint8 version, bytes32 document) external;
                /// Enrols who has consented. By the site, while it is current.
                function enrol(address actor, bytes32 trial, address participant) external;
                /// Ends the participant's consent, for good. By the participant, at any time.
                function withdrawConsent(address actor, bytes32 trial) external;
                /// All zero: never consented. `number` 0: never enrolled. `status`: see `terms::participant`; `at`: since when.
                function participantOf(bytes32 trial, address participant) external view
                    returns (address site, uint32 number, uint8 version, uint8 status, uint64 at);
                /// Whether data of number `number` of the site may stand in a batch.
                function mayContribute(bytes32 trial, address site, uint32 number) external view returns (bool);

                /// Anchors data of the period from `from` until `to`: `count` leaves under `root` (RFC 9162 with keccak256). By the site, while it is
                /// current. Refused where it names one who may not contribute; what is late or out of order is marked.
                function anchorBatch(address actor, bytes32 trial, uint32 sequence, uint64 from, uint64 to, bytes32 root, uint32 count, uint256[] calldata participants, bytes32 document) external;
                /// All zero where there is none.
                function batchOf(bytes32 trial, address site, uint32 sequence) external view
                    returns (bytes32 root, uint32 count, uint64 from, uint64 to, uint64 anchoredAt, uint8 flags, uint8 version);
                /// Whether `leaf` (the leaf's data, 32 bytes) is number `index` of this batch.
                function verifyBatch(bytes32 trial, address site, uint32 sequence, uint32 index, bytes32 leaf, bytes32[] calldata proof) external view returns (bool);

                /// Locks the data. By the sponsor. `batches`: how many there are.
                function lockData(address actor, bytes32 trial, uint32 batches) external;
                /// Anchors results, once the data are locked. By the sponsor. `version`: the trial's; `number`: the next one.
                function anchorResults(address actor, bytes32 trial, uint8 version, uint8 number, bytes32 results, bytes32 document) external;
                /// Zero where there are none.
                function resultsOf(bytes32 trial, uint8 number) external view returns (bytes32 results);
                /// Ends a trial whose data are locked: no more results. By the sponsor.
                function closeTrial(address actor, bytes32 trial) external;
            }
        }
    };
}

#[cfg(not(feature = "json"))]
interface!();
#[cfg(feature = "json")]
interface!(#[sol(abi)]);
