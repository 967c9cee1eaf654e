// SPDX-License-Identifier: MIT
// Generated from contracts/abi; do not edit.
pragma solidity ^0.8.20;

interface ISupply {
    /// The unit of `batch` that begins at `unit`, as it stands since its step `last`: one that was offered since is another.
    struct Item {
        bytes32 batch;
        uint32 unit;
        uint64 last;
    }

    // `document`: salted digest of the GS1 EPCIS 2.0 event that says more, off chain; zero: none.

    /// `batch`: keccak256 of (maker, GTIN, lot), a word each. The maker holds all of it, as unit 0, at `step`.
    event BatchRegistered(bytes32 indexed batch, address indexed maker, uint64 indexed gtin, bytes32 lot, uint64 expiry, bytes32 root, uint32 count, uint64 step, bytes32 document);
    /// The unit ends where the first of `cuts` is; at each of them another begins, with the same steps.
    event UnitSplit(bytes32 indexed batch, uint32 indexed unit, uint32[] cuts);
    /// A shipment has the number of its first step. `kind`: see `terms::shipment`. Its units follow.
    event ShipmentOffered(uint64 indexed shipment, address indexed from, address indexed to, uint8 kind, bytes32 document);
    /// Once the shipment is accepted, the unit stands at `step`, which comes after `previous` (0: none); until then, and where it never is, at `held`.
    event UnitOffered(uint64 indexed shipment, bytes32 indexed batch, uint32 indexed unit, uint64 held, uint64 step, uint64 previous);
    /// `state`: see `terms::shipment`: accepted or refused by who was to have it, or withdrawn by who had offered it.
    event ShipmentClosed(uint64 indexed shipment, address indexed by, uint8 state, bytes32 document);
    /// Number `number` (from 0) of the batch's recalls: of the serials from `from` on, below `to`. Whoever holds some of them, and
    /// every client with a package of them in its chart, goes by this event.
    event RecallIssued(bytes32 indexed batch, address indexed by, uint8 number, uint32 from, uint32 to, uint8 class, uint8 reasonCode, bytes32 document);
    /// `serial`: the leaf's data, a salted digest.
    event Dispensed(bytes32 indexed batch, bytes32 indexed serial, address indexed by, uint32 unit, uint32 index, bytes32 document);
    /// What of the unit was not dispensed is gone, for good. `reasonCode`: see `terms::decommission`.
    event Decommissioned(bytes32 indexed batch, uint32 indexed unit, address indexed by, uint8 reasonCode, bytes32 document);

    error ZeroAddress();
    error ZeroDigest();
    /// `caller` is neither `actor` nor the relay.
    error NotActor(address caller, address actor);
    /// `actor` has no current credential with one of `roles`.
    error NotCredentialed(address actor, uint64 roles);
    /// Zero, more than 14 digits, or another check digit than the others give.
    error MalformedGtin(uint64 gtin);
    error EmptyBatch();
    error TimeTooLarge(uint64 time);
    error ExpiryInPast(uint64 expiry, uint64 now);
    error BatchExists(bytes32 batch);
    error UnknownBatch(bytes32 batch);
    /// No unit of the batch begins at `unit`.
    error UnknownUnit(bytes32 batch, uint32 unit);
    /// None, or more than `most` in one call.
    error ListLength(uint32 given, uint32 most);
    /// A cut is not behind the one before it, or not inside of the unit.
    error MalformedCut(uint32 cut);
    /// Item number `item` does not come after the one before it, by batch and unit.
    error ItemOrder(uint32 item);
    /// The unit was offered since the caller read it.
    error UnitMoved(bytes32 batch, uint32 unit, uint64 given, uint64 current);
    error NotHolder(address actor, address holder);
    /// It is in a shipment that is open.
    error InTransit(bytes32 batch, uint32 unit, uint64 shipment);
    error UnitDecommissioned(bytes32 batch, uint32 unit, uint8 reasonCode);
    error ShipmentToSelf(address actor);
    error UnknownKind(uint8 kind);
    /// `to` has had this unit: it goes back as a return.
    error CustodyCycle(bytes32 batch, uint32 unit, address to);
    /// `to` has never had this unit, so it does not go back there.
    error NotEarlierHolder(bytes32 batch, uint32 unit, address to);
    /// The unit has had `most` holders; it can be returned, dispensed or decommissioned.
    error TooManyHolders(bytes32 batch, uint32 unit, uint8 most);
    error BatchExpired(bytes32 batch, uint64 expiry);
    /// By recall number `number`.
    error Recalled(bytes32 batch, uint8 number);
    error UnknownShipment(uint64 shipment);
    /// It was closed before: `state`.
    error ShipmentNotOpen(uint64 shipment, uint8 state);
    error NotReceiver(address actor, address to);
    error NotSender(address actor, address from);
    /// The serial is number `index`; the unit has those from `from` on, below `to`.
    error NotInUnit(uint32 index, uint32 from, uint32 to);
    /// The proof does not lead from this serial at this index to the batch's root: never made, or another batch's.
    error NotInBatch(bytes32 batch, uint32 index);
    /// This serial of the maker's GTIN was dispensed before: one of the two packages is false.
    error AlreadyDispensed(bytes32 serial, address by, uint64 at);
    error UnknownReasonCode(uint8 reasonCode);
    /// `actor` is neither the batch's maker nor a current regulator.
    error MayNotRecall(address actor);
    error RecallNumber(uint8 given, uint8 next);
    /// Empty, or beyond the batch; the last recall that a batch can have is one of all of it.
    error RecallRange(uint32 from, uint32 to, uint32 count);
    error UnknownClass(uint8 class);
    error TooManyRecalls(uint8 most);

    /// Constants of the code (`link`).
    function neighbours() external view returns (address registry, address relay);

    // `actor`, the first argument of all that changes something: the caller itself, or whoever signed, where the relay calls.

    /// Registers `count` packages, whose serials are the leaves under `root` (RFC 9162 with keccak256). By a current maker.
    /// `lot`: keccak256 of the lot's text. Each leaf's data: a digest of the serial, salted by the maker, once a GTIN.
    function registerBatch(address actor, uint64 gtin, bytes32 lot, uint64 expiry, bytes32 root, uint32 count, bytes32 document) external returns (bytes32 batch);
    /// All zero where there is none.
    function batchOf(bytes32 batch) external view
        returns (address maker, uint64 gtin, uint64 registeredAt, uint64 expiry, bytes32 root, uint32 count, uint8 recalls);

    /// Cuts a unit at these indices, ascending and inside of it. By its holder.
    function split(address actor, bytes32 batch, uint32 unit, uint32[] calldata cuts) external;
    /// From `unit` on, below `to`. `step`: where it stands, with `holder`; `last`: the step that it was offered for last. `shipment`: the open
    /// one that it is in, 0: none. `decommissioned`: the reason code, 0: it is not. All zero where no unit begins there.
    function unitOf(bytes32 batch, uint32 unit) external view
        returns (uint32 to, address holder, uint64 step, uint64 last, uint64 shipment, uint8 decommissioned);
    /// The chain of custody, backwards: who had a unit that stands or stood at this step, the step before (0: none), and the shipment
    /// by which it came (0: by registration).
    function stepOf(uint64 step) external view returns (address holder, uint64 previous, uint64 shipment);

    /// Offers units of any batches, ascending by batch and unit, to one account. By who holds them all. A sale (`terms::shipment`) is a current trading
    /// partner's, of what is neither expired nor recalled, to who has not had it; a return goes to who has.
    function offer(address actor, address to, uint8 kind, Item[] calldata items, bytes32 document) external returns (uint64 shipment);
    /// By who is to have it, a current trading partner. Once.
    function accept(address actor, uint64 shipment, bytes32 document) external;
    /// By who is to have it.
    function refuse(address actor, uint64 shipment, bytes32 document) external;
    /// By who offered it.
    function withdraw(address actor, uint64 shipment, bytes32 document) external;
    /// All zero where there is none.
    function shipmentOf(uint64 shipment) external view
        returns (address from, address to, uint8 kind, uint8 state, uint64 offeredAt);

    /// Recalls the serials from `from` on, below `to`, for good. By the maker, current or not, or a current regulator. `number`: how many recalls there are.
    function recall(address actor, bytes32 batch, uint8 number, uint32 from, uint32 to, uint8 class, uint8 reasonCode, bytes32 document) external;
    /// All zero where there is none.
    function recallOf(bytes32 batch, uint8 number) external view
        returns (uint32 from, uint32 to, uint8 class, uint8 reasonCode, uint64 at);

    /// Dispenses serial number `index`. By the holder of its unit, a current pharmacy, once for all batches of the maker's GTIN.
    function dispense(address actor, bytes32 batch, uint32 unit, uint32 index, bytes32 serial, bytes32[] calldata proof, bytes32 document) external;
    /// Who dispensed this serial, as number `index` of its batch. All zero: nobody.
    function dispensedOf(address maker, uint64 gtin, bytes32 serial) external view returns (address by, uint64 at, uint32 index);
    /// Takes a unit out of the supply: destroyed, stolen, a sample. By its holder. `last`: as in `Item`.
    function decommission(address actor, bytes32 batch, uint32 unit, uint64 last, uint8 reasonCode, bytes32 document) external;

    /// What a scanned package is, as bits of `terms::package`; 0: never made. `unit`: the one that number `index` is in.
    /// `party`, `since`: who dispensed the serial and when, otherwise who has its unit, and 0.
    function verify(bytes32 batch, uint32 unit, uint32 index, bytes32 serial, bytes32[] calldata proof) external view
        returns (uint8 status, address party, uint64 since);
}
