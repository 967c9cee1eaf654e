// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {IRegistry} from "IRegistry.sol";
import {ISupply} from "ISupply.sol";

/// `supply` in Solidity, for comparison: the storage, the checks and the events of contracts/supply. What is measured (`registerBatch`, `offer`,
/// `accept`, `dispense`, `verify`) is whole; units are not split and batches not recalled here. Nobody may deploy it for use.
contract TwinSupply {
    struct Batch {
        /// `address maker; uint40 expiry; uint32 count; uint8 recalls`, the first lowest.
        uint256 head;
        bytes32 root;
        /// `uint64 gtin; uint40 registeredAt`.
        uint256 product;
    }

    uint8 private constant SALE = 1;
    uint8 private constant RETURN = 2;
    uint8 private constant OPEN = 1;
    uint8 private constant ACCEPTED = 2;
    uint256 private constant HOLDERS_MOST = 16;
    uint64 private constant MAKER = 1 << 5;
    uint64 private constant PHARMACY = 1 << 7;
    uint64 private constant TRADE = MAKER | 1 << 6 | PHARMACY;

    address private immutable registry;
    address private immutable relay;
    mapping(bytes32 => Batch) private batches;
    /// `uint32 to; uint48 step; uint48 last; uint8 decommissioned`.
    mapping(bytes32 => mapping(uint32 => uint256)) private units;
    uint64 private stepCount;
    /// `address holder; uint48 previous; uint48 shipment`.
    mapping(uint64 => uint256) private steps;
    /// `address from; uint40 offeredAt; uint8 kind; uint8 state`.
    mapping(uint64 => uint256) private shipments;
    /// `uint32 from; uint32 to; uint8 class; uint8 reasonCode; uint40 at`.
    mapping(bytes32 => mapping(uint8 => uint256)) private recalls;
    /// `address by; uint40 at; uint32 index`.
    mapping(address => mapping(uint64 => mapping(bytes32 => uint256))) private dispensings;

    constructor(address registry_, address relay_) {
        registry = registry_;
        relay = relay_;
    }

    function registerBatch(
        address actor,
        uint64 gtin,
        bytes32 lot,
        uint64 expiry,
        bytes32 root,
        uint32 count,
        bytes32 document
    ) external returns (bytes32 batch) {
        requireActor(actor);
        if (!isSound(gtin)) revert ISupply.MalformedGtin(gtin);
        if (lot == 0 || root == 0) revert ISupply.ZeroDigest();
        if (count == 0) revert ISupply.EmptyBatch();
        if (expiry > type(uint40).max) revert ISupply.TimeTooLarge(expiry);
        if (expiry <= block.timestamp) revert ISupply.ExpiryInPast(expiry, uint64(block.timestamp));
        batch = keccak256(abi.encode(actor, gtin, lot));
        Batch storage held = batches[batch];
        if (held.head != 0) revert ISupply.BatchExists(batch);
        requireRole(actor, MAKER);
        held.head = uint256(uint160(actor)) | uint256(expiry) << 160 | uint256(count) << 200;
        held.root = root;
        held.product = gtin | block.timestamp << 64;
        uint64 step = stepCount + 1;
        steps[step] = uint160(actor);
        stepCount = step;
        units[batch][0] = count | uint256(step) << 32 | uint256(step) << 80;
        emit ISupply.BatchRegistered(batch, actor, gtin, lot, expiry, root, count, step, document);
    }

    function offer(address actor, address to, uint8 kind, ISupply.Item[] calldata items, bytes32 document)
        external
        returns (uint64 shipment)
    {
        requireActor(actor);
        if (kind != SALE && kind != RETURN) revert ISupply.UnknownKind(kind);
        if (to == address(0)) revert ISupply.ZeroAddress();
        if (to == actor) revert ISupply.ShipmentToSelf(actor);
        if (items.length == 0 || items.length > 128) revert ISupply.ListLength(uint32(items.length), 128);
        for (uint256 i = 1; i < items.length; ++i) {
            (bytes32 before, bytes32 batch) = (items[i - 1].batch, items[i].batch);
            if (before > batch || before == batch && items[i - 1].unit >= items[i].unit) {
                revert ISupply.ItemOrder(uint32(i));
            }
        }
        uint256[] memory moves = new uint256[](items.length);
        for (uint256 i; i < items.length; ++i) moves[i] = requireMovable(actor, to, kind, items[i]);
        if (kind == SALE) requireRole(actor, TRADE);
        shipment = stepCount + 1;
        shipments[shipment] =
            uint256(uint160(actor)) | block.timestamp << 160 | uint256(kind) << 200 | uint256(OPEN) << 208;
        emit ISupply.ShipmentOffered(shipment, actor, to, kind, document);
        stepCount = place(to, shipment, items, moves);
    }

    function accept(address actor, uint64 shipment, bytes32 document) external {
        requireActor(actor);
        uint256 held = shipments[shipment];
        if (held == 0) revert ISupply.UnknownShipment(shipment);
        address to = address(uint160(steps[shipment]));
        if (actor != to) revert ISupply.NotReceiver(actor, to);
        uint8 state = uint8(held >> 208);
        if (state != OPEN) revert ISupply.ShipmentNotOpen(shipment, state);
        requireRole(actor, TRADE);
        shipments[shipment] = held & ~(uint256(type(uint8).max) << 208) | uint256(ACCEPTED) << 208;
        emit ISupply.ShipmentClosed(shipment, actor, ACCEPTED, document);
    }

    function dispense(
        address actor,
        bytes32 batch,
        uint32 unit,
        uint32 index,
        bytes32 serial,
        bytes32[] calldata proof,
        bytes32 document
    ) external {
        requireActor(actor);
        uint256 head = batches[batch].head;
        if (head == 0) revert ISupply.UnknownBatch(batch);
        if (!isInBatch(batch, head, index, serial, proof)) revert ISupply.NotInBatch(batch, index);
        mapping(bytes32 => uint256) storage ofItem = dispensings[makerOf(head)][uint64(batches[batch].product)];
        uint256 first = ofItem[serial];
        if (first != 0) revert ISupply.AlreadyDispensed(serial, address(uint160(first)), uint40(first >> 160));
        (uint256 held,) = requireHeld(actor, batch, unit);
        if (index < unit || index >= uint32(held)) revert ISupply.NotInUnit(index, unit, uint32(held));
        requireSound(batch, head, index, index + 1);
        requireRole(actor, PHARMACY);
        ofItem[serial] = uint256(uint160(actor)) | block.timestamp << 160 | uint256(index) << 200;
        emit ISupply.Dispensed(batch, serial, actor, unit, index, document);
    }

    function verify(bytes32 batch, uint32 unit, uint32 index, bytes32 serial, bytes32[] calldata proof)
        external
        view
        returns (uint8 status, address party, uint64 since)
    {
        uint256 head = batches[batch].head;
        if (!isInBatch(batch, head, index, serial, proof)) return (0, address(0), 0);
        uint256 held = units[batch][unit];
        if (uint32(held) == 0) revert ISupply.UnknownUnit(batch, unit);
        if (index < unit || index >= uint32(held)) revert ISupply.NotInUnit(index, unit, uint32(held));
        (uint64 step, uint64 shipment) = standsAt(held);
        uint256 dispensing = dispensings[makerOf(head)][uint64(batches[batch].product)][serial];
        status = 1;
        if (block.timestamp >= expiryOf(head)) status |= 2;
        (bool isRecalled,) = recalled(batch, head, index, index + 1);
        if (isRecalled) status |= 4;
        if (dispensing != 0) return (status | 8, address(uint160(dispensing)), uint40(dispensing >> 160));
        if (uint8(held >> 128) != 0) status |= 16;
        if (shipment != 0) status |= 32;
        party = address(uint160(steps[step]));
    }

    function requireActor(address actor) private view {
        if (msg.sender != actor && msg.sender != relay) revert ISupply.NotActor(msg.sender, actor);
    }

    function requireRole(address actor, uint64 roles) private view {
        (, uint64 held,,,,,, bool current) = IRegistry(registry).credentialOf(actor);
        if (!current || held & roles == 0) revert ISupply.NotCredentialed(actor, roles);
    }

    function requireHeld(address actor, bytes32 batch, uint32 unit) private view returns (uint256 held, uint64 step) {
        held = units[batch][unit];
        if (uint32(held) == 0) revert ISupply.UnknownUnit(batch, unit);
        uint8 decommissioned = uint8(held >> 128);
        if (decommissioned != 0) revert ISupply.UnitDecommissioned(batch, unit, decommissioned);
        uint64 shipment;
        (step, shipment) = standsAt(held);
        if (shipment != 0) revert ISupply.InTransit(batch, unit, shipment);
        address holder = address(uint160(steps[step]));
        if (actor != holder) revert ISupply.NotHolder(actor, holder);
    }

    /// The step where it stands, and above it the one that comes before the next.
    function requireMovable(address actor, address to, uint8 kind, ISupply.Item calldata item)
        private
        view
        returns (uint256)
    {
        (uint256 unit, uint64 held) = requireHeld(actor, item.batch, item.unit);
        uint64 last = uint48(unit >> 80);
        if (item.last != last) revert ISupply.UnitMoved(item.batch, item.unit, item.last, last);
        (uint256 found, uint256 holders) = earlierStep(held, to);
        if (kind == SALE) {
            requireSound(item.batch, batches[item.batch].head, item.unit, uint32(unit));
            if (found != 0) revert ISupply.CustodyCycle(item.batch, item.unit, to);
            if (holders >= HOLDERS_MOST) revert ISupply.TooManyHolders(item.batch, item.unit, uint8(HOLDERS_MOST));
            return held | uint256(held) << 64;
        }
        if (found == 0) revert ISupply.NotEarlierHolder(item.batch, item.unit, to);
        return held | uint256(uint48(found >> 160)) << 64;
    }

    function earlierStep(uint64 number, address holder) private view returns (uint256 found, uint256 seen) {
        for (; seen < HOLDERS_MOST && number != 0; ++seen) {
            uint256 step = steps[number];
            if (address(uint160(step)) == holder) return (step, seen);
            number = uint48(step >> 160);
        }
    }

    /// Writes the steps of a shipment and moves its units there; gives the last step.
    function place(address to, uint64 shipment, ISupply.Item[] calldata items, uint256[] memory moves)
        private
        returns (uint64 step)
    {
        step = shipment - 1;
        uint64 heldBefore;
        for (uint256 i; i < items.length; ++i) {
            (uint64 held, uint64 previous) = (uint64(moves[i]), uint64(moves[i] >> 64));
            if (held != heldBefore) {
                steps[++step] = uint256(uint160(to)) | uint256(previous) << 160 | uint256(shipment) << 208;
                heldBefore = held;
            }
            (bytes32 batch, uint32 unit) = (items[i].batch, items[i].unit);
            mapping(uint32 => uint256) storage ofBatch = units[batch];
            ofBatch[unit] = uint32(ofBatch[unit]) | uint256(held) << 32 | uint256(step) << 80;
            emit ISupply.UnitOffered(shipment, batch, unit, held, step, previous);
        }
    }

    function requireSound(bytes32 batch, uint256 head, uint32 from, uint32 to) private view {
        if (block.timestamp >= expiryOf(head)) revert ISupply.BatchExpired(batch, uint64(expiryOf(head)));
        (bool isRecalled, uint8 number) = recalled(batch, head, from, to);
        if (isRecalled) revert ISupply.Recalled(batch, number);
    }

    function recalled(bytes32 batch, uint256 head, uint32 from, uint32 to) private view returns (bool, uint8 number) {
        uint8 count = uint8(head >> 232);
        for (; number < count; ++number) {
            uint256 recall = recalls[batch][number];
            if (uint32(recall) < to && from < uint32(recall >> 32)) return (true, number);
        }
        return (false, 0);
    }

    function standsAt(uint256 unit) private view returns (uint64 step, uint64 shipment) {
        step = uint48(unit >> 32);
        uint64 last = uint48(unit >> 80);
        if (last == step) return (step, 0);
        shipment = uint48(steps[last] >> 208);
        uint8 state = uint8(shipments[shipment] >> 208);
        if (state == OPEN) return (step, shipment);
        return (state == ACCEPTED ? last : step, 0);
    }

    function isInBatch(bytes32 batch, uint256 head, uint32 index, bytes32 serial, bytes32[] calldata proof)
        private
        view
        returns (bool)
    {
        uint256 count = uint32(head >> 200);
        uint256 node = index;
        if (node >= count) return false;
        uint256 last = count - 1;
        bytes32 hash = keccak256(abi.encodePacked(bytes1(0), serial));
        for (uint256 i; i < proof.length; ++i) {
            if (last == 0) return false;
            bytes32 sibling = proof[i];
            if (node & 1 == 1 || node == last) {
                hash = keccak256(abi.encodePacked(bytes1(0x01), sibling, hash));
                while (node & 1 == 0 && node != 0) {
                    node >>= 1;
                    last >>= 1;
                }
            } else {
                hash = keccak256(abi.encodePacked(bytes1(0x01), hash, sibling));
            }
            node >>= 1;
            last >>= 1;
        }
        return last == 0 && hash == batches[batch].root;
    }

    /// The check digit of GS1.
    function isSound(uint64 gtin) private pure returns (bool) {
        uint256 sum;
        uint256 weight = 1;
        for (uint256 rest = gtin; rest != 0; rest /= 10) {
            sum += rest % 10 * weight;
            weight = 4 - weight;
        }
        return gtin != 0 && gtin <= 99_999_999_999_999 && sum % 10 == 0;
    }

    function makerOf(uint256 head) private pure returns (address) {
        return address(uint160(head));
    }

    function expiryOf(uint256 head) private pure returns (uint256) {
        return uint40(head >> 160);
    }
}
