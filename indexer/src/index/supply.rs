//! Drugs: batches, who has which part of them and how it came there, recalls, and what was dispensed.
use super::{
    Page, Position, Result, View,
    answer::*,
    view::{page, paged},
};
use crate::db::Row;
use alloy::primitives::{Address, B256};
use medlock_abi::terms::shipment;

/// What a maker registered of one lot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrugBatch {
    pub batch: B256,
    pub maker: Address,
    pub gtin: u64,
    pub lot: B256,
    /// UNIX seconds.
    pub expiry: u64,
    /// Merkle root of the serials.
    pub root: B256,
    pub packages: u32,
    /// Where all of it stood at first.
    pub step: u64,
    pub document: B256,
    /// How many recalls there are of it.
    pub recalls: u8,
    /// UNIX seconds.
    pub registered_at: u64,
    pub position: Position,
}

/// Where a unit begins: its batch, and the number of its first package.
pub type UnitPlace = (B256, u32);

/// A run of a batch's packages that one party holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    pub batch: B256,
    /// Its first package, and the one after its last.
    pub unit: u32,
    pub to: u32,
    pub holder: Address,
    /// Where it stands, and what it was offered for last.
    pub step: u64,
    pub last: u64,
    /// The open shipment that it is in; 0: none.
    pub shipment: u64,
    /// Why it left the supply (`medlock_abi::terms::decommission`); 0: it did not.
    pub decommissioned: u8,
    /// Of its batch, or of the split that made it.
    pub position: Position,
}

/// A link in a unit's chain of custody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustodyStep {
    pub step: u64,
    pub holder: Address,
    /// By which it came; 0: the holder is the maker, who registered it.
    pub shipment: u64,
    /// `medlock_abi::terms::shipment`; 0: no shipment.
    pub kind: u8,
    /// Who sent it; zero: nobody.
    pub sender: Address,
    /// Of the registration or of the offer.
    pub document: B256,
    /// UNIX seconds: when it was registered or offered.
    pub offered_at: u64,
    /// Of the registration or of the offer.
    pub position: Position,
    /// How the offer ended. `None`: it is open, or there was none.
    pub closing: Option<Closing>,
}

/// How a shipment was closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closing {
    /// `medlock_abi::terms::shipment`.
    pub state: u8,
    pub closed_by: Address,
    pub document: B256,
    /// UNIX seconds.
    pub at: u64,
    pub position: Position,
}

/// Units that were offered to one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shipment {
    pub shipment: u64,
    pub sender: Address,
    pub receiver: Address,
    /// `medlock_abi::terms::shipment`.
    pub kind: u8,
    pub document: B256,
    /// UNIX seconds.
    pub offered_at: u64,
    /// Of its offer.
    pub position: Position,
    /// `None`: it is open.
    pub closing: Option<Closing>,
}

impl Shipment {
    /// `medlock_abi::terms::shipment`.
    #[must_use]
    pub fn state(&self) -> u8 {
        self.closing.as_ref().map_or(shipment::OPEN, |closing| closing.state)
    }
}

/// Whose shipments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShipmentsOf {
    Sender(Address),
    Receiver(Address),
}

/// A unit in a shipment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnitOffer {
    pub batch: B256,
    pub unit: u32,
    /// Where it stood, where it stands once it is accepted, and the step before that one (0: none).
    pub held: u64,
    pub step: u64,
    pub previous: u64,
    pub position: Position,
}

/// Packages that are not to be sold or dispensed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recall {
    pub batch: B256,
    pub maker: Address,
    pub gtin: u64,
    pub lot: B256,
    /// Of the batch's recalls, from 0.
    pub number: u8,
    /// From this package on, below the other.
    pub from: u32,
    pub to: u32,
    /// `medlock_abi::terms::recall`.
    pub class: u8,
    pub reason_code: u8,
    pub issued_by: Address,
    pub document: B256,
    /// UNIX seconds.
    pub at: u64,
    pub position: Position,
}

/// A package that was dispensed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dispensing {
    pub batch: B256,
    pub maker: Address,
    pub gtin: u64,
    /// Salted.
    pub serial: B256,
    pub unit: u32,
    /// The package's number in its batch.
    pub package: u32,
    pub dispensed_by: Address,
    pub document: B256,
    /// UNIX seconds.
    pub at: u64,
    pub position: Position,
}

macro_rules! drug_batches {
    ($which:literal) => {
        concat!(
            "SELECT d.batch, d.maker, d.gtin, d.lot, d.expiry, d.root, d.packages, d.step, d.document, d.valid_from, b.time,
                    (SELECT count(*) FROM recall AS r WHERE r.batch = d.batch AND r.valid_from < $1) AS recalls
             FROM drug_batch AS d
             JOIN block AS b ON b.number = d.valid_from >> 24
             WHERE d.valid_from < $1 AND ",
            $which
        )
    };
}
/// Units, each with the last offer of its own or, where it was never offered, of the unit that it was cut from as that then stood. The line of
/// units that a unit was cut from ends: each place in it is before the one before.
macro_rules! units {
    ($which:literal) => {
        concat!(
            "WITH RECURSIVE line (batch, start, began, unit, place) AS (
                SELECT n.batch, n.unit, n.valid_from, n.unit, $1 FROM (
                    SELECT u.batch, u.unit, u.valid_from FROM unit AS u WHERE u.valid_from < $1 AND ", $which, "
                ) AS n
                UNION ALL
                SELECT k.batch, k.start, k.began, u.cut_from, u.valid_from FROM line AS k
                JOIN unit AS u ON u.batch = k.batch AND u.unit = k.unit
                WHERE k.unit <> 0 AND NOT EXISTS (
                    SELECT 1 FROM unit_offer AS o WHERE o.batch = k.batch AND o.unit = k.unit AND o.valid_from < k.place)
             )
             SELECT k.batch, k.start AS unit, k.began AS valid_from, b.maker, b.step AS first_step,
                    coalesce((SELECT e.unit FROM unit AS e WHERE e.batch = k.batch AND e.unit > k.start AND e.valid_from < $1
                        ORDER BY e.unit LIMIT 1), b.packages) AS until,
                    o.step, o.held, o.shipment, s.sender, s.receiver, c.state, d.reason_code
             FROM line AS k
             JOIN drug_batch AS b ON b.batch = k.batch
             LEFT JOIN unit_offer AS o ON o.batch = k.batch AND o.unit = k.unit AND o.step = (
                SELECT m.step FROM unit_offer AS m WHERE m.batch = k.batch AND m.unit = k.unit AND m.valid_from < k.place
                ORDER BY m.step DESC LIMIT 1)
             LEFT JOIN shipment AS s ON s.shipment = o.shipment
             LEFT JOIN shipment_closing AS c ON c.shipment = o.shipment AND c.valid_from < $1
             LEFT JOIN decommissioning AS d ON d.batch = k.batch AND d.unit = k.start AND d.valid_from < $1
             WHERE o.step IS NOT NULL OR k.unit = 0
             ORDER BY k.batch, k.start"
        )
    };
}
macro_rules! shipments {
    ($which:literal) => {
        concat!(
            "SELECT s.shipment, s.sender, s.receiver, s.kind, s.document, s.valid_from, b.time,
                    c.state, c.closed_by, c.document AS closing_document, c.valid_from AS closing_place, cb.time AS closed_at
             FROM shipment AS s
             JOIN block AS b ON b.number = s.valid_from >> 24
             LEFT JOIN shipment_closing AS c ON c.shipment = s.shipment AND c.valid_from < $1
             LEFT JOIN block AS cb ON cb.number = c.valid_from >> 24
             WHERE s.valid_from < $1 AND ",
            $which
        )
    };
}
macro_rules! recalls {
    ($which:literal) => {
        concat!(
            "SELECT r.batch, d.maker, d.gtin, d.lot, r.number, r.from_package, r.to_package, r.class, r.reason_code, r.issued_by,
                    r.document, r.valid_from, b.time
             FROM recall AS r
             JOIN drug_batch AS d ON d.batch = r.batch
             JOIN block AS b ON b.number = r.valid_from >> 24
             WHERE r.valid_from < $1 AND ",
            $which
        )
    };
}

impl View {
    pub async fn drug_batch(&mut self, batch: B256) -> Result<Option<DrugBatch>> {
        const SQL: &str = drug_batches!("d.batch = $2");
        self.row(SQL, vec![batch.into()], drug_batch_row).await
    }

    /// Of one lot: one batch, unless others registered it in its maker's place.
    pub async fn drug_batches_of_lot(&mut self, gtin: u64, lot: B256, page: Page) -> Result<Vec<DrugBatch>> {
        const SQL: &str = concat!(drug_batches!("d.gtin = $2 AND d.lot = $5"), page!("d"));
        let mut args = paged(clamp(gtin), page);
        args.push(lot.into());
        self.rows(SQL, args, drug_batch_row).await
    }

    pub async fn drug_batches_of(&mut self, maker: Address, page: Page) -> Result<Vec<DrugBatch>> {
        const SQL: &str = concat!(drug_batches!("d.maker = $2"), page!("d"));
        self.rows(SQL, paged(maker, page), drug_batch_row).await
    }

    /// The unit that begins at `unit`.
    pub async fn unit(&mut self, batch: B256, unit: u32) -> Result<Option<Unit>> {
        const SQL: &str = units!("u.batch = $2 AND u.unit = $3");
        self.row(SQL, vec![batch.into(), unit.into()], unit_row).await
    }

    /// The unit that package number `package` is in.
    pub async fn unit_with(&mut self, batch: B256, package: u32) -> Result<Option<Unit>> {
        const SQL: &str = units!("u.batch = $2 AND u.unit <= $3 ORDER BY u.unit DESC LIMIT 1");
        let unit = self.row(SQL, vec![batch.into(), package.into()], unit_row).await?;
        Ok(unit.filter(|unit| package < unit.to))
    }

    /// The units of a batch in their order, after the one that begins at `after`.
    pub async fn units(&mut self, batch: B256, after: Option<u32>, limit: u32) -> Result<Vec<Unit>> {
        const SQL: &str = units!("u.batch = $2 AND u.unit > $3 ORDER BY u.unit LIMIT $4");
        let after = after.map_or(-1, i64::from);
        let args = vec![batch.into(), after.into(), rows_most(limit).into()];
        self.rows(SQL, args, unit_row).await
    }

    /// What `holder` holds, by batch and unit, after `after`; what was decommissioned there too. At most `limit` units are looked at, of all batches that
    /// `holder` has ever had some of, and at most [`PAGE_MOST`]. The second value is where to go on, while there are more to look at.
    pub async fn units_of(
        &mut self,
        holder: Address,
        after: Option<UnitPlace>,
        limit: u32,
    ) -> Result<(Vec<Unit>, Option<UnitPlace>)> {
        const SQL: &str = units!(
            "u.batch IN (
                SELECT m.batch FROM drug_batch AS m WHERE m.maker = $2
                UNION SELECT o.batch FROM shipment AS s JOIN unit_offer AS o ON o.shipment = s.shipment WHERE s.receiver = $2
             ) AND (u.batch > $3 OR (u.batch = $3 AND u.unit > $4)) ORDER BY u.batch, u.unit LIMIT $5"
        );
        // No batch has this id.
        let (batch, unit) = after.map_or((B256::ZERO, -1), |(batch, unit)| (batch, i64::from(unit)));
        let limit = rows_most(limit);
        let args = vec![holder.into(), batch.into(), unit.into(), limit.into()];
        let units = self.rows(SQL, args, unit_row).await?;
        let more = units.last().filter(|_| units.len() == limit as usize);
        let more = more.map(|last| (last.batch, last.unit));
        Ok((units.into_iter().filter(|unit| unit.holder == holder).collect(), more))
    }

    /// Who had a unit of `batch` that stands or stood at `step`: backwards from there to its maker. Empty where no unit of the batch was ever there.
    pub async fn custody(&mut self, batch: B256, step: u64) -> Result<Vec<CustodyStep>> {
        const SQL: &str = "WITH RECURSIVE backwards (number, step) AS (
                SELECT CAST(1 AS BIGINT), CAST($3 AS BIGINT)
                UNION
                SELECT k.number + 1, o.previous FROM backwards AS k
                JOIN unit_offer AS o ON o.step = k.step AND o.batch = $2 AND o.valid_from < $1
                WHERE o.previous <> 0
             )
             SELECT k.number, k.step, d.maker, d.document, d.valid_from AS batch_place, db.time AS registered_at,
                    s.shipment, s.sender, s.receiver, s.kind, s.document AS offer_document, s.valid_from AS offer_place,
                    sb.time AS offered_at, z.state, z.closed_by, z.document AS closing_document,
                    z.valid_from AS closing_place, zb.time AS closed_at
             FROM backwards AS k
             JOIN drug_batch AS d ON d.batch = $2 AND d.valid_from < $1
             JOIN block AS db ON db.number = d.valid_from >> 24
             LEFT JOIN shipment AS s ON s.shipment = (
                SELECT o.shipment FROM unit_offer AS o WHERE o.step = k.step AND o.batch = $2 AND o.valid_from < $1 LIMIT 1)
             LEFT JOIN block AS sb ON sb.number = s.valid_from >> 24
             LEFT JOIN shipment_closing AS z ON z.shipment = s.shipment AND z.valid_from < $1
             LEFT JOIN block AS zb ON zb.number = z.valid_from >> 24
             WHERE s.shipment IS NOT NULL OR k.step = d.step
             ORDER BY k.number";
        let args = vec![batch.into(), clamp(step).into()];
        self.rows(SQL, args, custody_row).await
    }

    pub async fn shipment(&mut self, shipment: u64) -> Result<Option<Shipment>> {
        const SQL: &str = shipments!("s.shipment = $2");
        self.row(SQL, vec![clamp(shipment).into()], shipment_row).await
    }

    /// Shipments from or to an account, those that are open or all, in the order in which they were offered.
    pub async fn shipments(&mut self, of: ShipmentsOf, open: bool, page: Page) -> Result<Vec<Shipment>> {
        const FROM: &str = concat!(shipments!("s.sender = $2"), page!("s"));
        const TO: &str = concat!(shipments!("s.receiver = $2"), page!("s"));
        // Open at the view's block: not closed, or only after it.
        const OPEN_FROM: &str = concat!(shipments!("s.sender = $2 AND s.valid_to >= $1"), page!("s"));
        const OPEN_TO: &str = concat!(shipments!("s.receiver = $2 AND s.valid_to >= $1"), page!("s"));
        let (sql, account) = match (of, open) {
            (ShipmentsOf::Sender(account), false) => (FROM, account),
            (ShipmentsOf::Receiver(account), false) => (TO, account),
            (ShipmentsOf::Sender(account), true) => (OPEN_FROM, account),
            (ShipmentsOf::Receiver(account), true) => (OPEN_TO, account),
        };
        self.rows(sql, paged(account, page), shipment_row).await
    }

    /// What is in a shipment: at most 128 units.
    pub async fn shipment_units(&mut self, shipment: u64) -> Result<Vec<UnitOffer>> {
        const SQL: &str = "SELECT batch, unit, step, held, previous, valid_from FROM unit_offer
             WHERE valid_from < $1 AND shipment = $2 ORDER BY valid_from";
        self.rows(SQL, vec![clamp(shipment).into()], unit_offer_row).await
    }

    /// All recalls in the order in which they were issued: a patient's client reads on from the last one that it has seen.
    pub async fn recalls(&mut self, page: Page) -> Result<Vec<Recall>> {
        const SQL: &str = recalls!("r.valid_from > $2 ORDER BY r.valid_from LIMIT $3");
        let (after, limit) = page.bounds();
        self.rows(SQL, vec![after.into(), limit.into()], recall_row).await
    }

    /// Of one batch: at most eight.
    pub async fn recalls_of(&mut self, batch: B256) -> Result<Vec<Recall>> {
        const SQL: &str = recalls!("r.batch = $2 ORDER BY r.number");
        self.rows(SQL, vec![batch.into()], recall_row).await
    }

    /// Where a salted serial was dispensed: once for one maker's GTIN.
    pub async fn dispensings(&mut self, serial: B256, page: Page) -> Result<Vec<Dispensing>> {
        const SQL: &str = concat!(
            "SELECT p.batch, d.maker, d.gtin, p.serial, p.unit, p.package, p.dispensed_by, p.document, p.valid_from, b.time
             FROM dispensing AS p
             JOIN drug_batch AS d ON d.batch = p.batch
             JOIN block AS b ON b.number = p.valid_from >> 24
             WHERE p.valid_from < $1 AND p.serial = $2",
            page!("p")
        );
        self.rows(SQL, paged(serial, page), dispensing_row).await
    }
}

fn drug_batch_row(row: &Row) -> Result<DrugBatch> {
    Ok(DrugBatch {
        batch: b256(row, "batch")?,
        maker: address(row, "maker")?,
        gtin: number(row, "gtin")?,
        lot: b256(row, "lot")?,
        expiry: number(row, "expiry")?,
        root: b256(row, "root")?,
        packages: number(row, "packages")?,
        step: number(row, "step")?,
        document: b256(row, "document")?,
        recalls: number(row, "recalls")?,
        registered_at: number(row, "time")?,
        position: position(row)?,
    })
}

fn unit_row(row: &Row) -> Result<Unit> {
    let offered: Option<u64> = maybe(row, "step")?;
    let (holder, step, last, in_shipment) = match (offered, maybe::<u8>(row, "state")?) {
        (None, _) => {
            let first = number(row, "first_step")?;
            (address(row, "maker")?, first, first, 0)
        }
        (Some(step), Some(shipment::ACCEPTED)) => (address(row, "receiver")?, step, step, 0),
        (Some(step), Some(_)) => (address(row, "sender")?, number(row, "held")?, step, 0),
        (Some(step), None) => (
            address(row, "sender")?,
            number(row, "held")?,
            step,
            number(row, "shipment")?,
        ),
    };
    Ok(Unit {
        batch: b256(row, "batch")?,
        unit: number(row, "unit")?,
        to: number(row, "until")?,
        holder,
        step,
        last,
        shipment: in_shipment,
        decommissioned: maybe(row, "reason_code")?.unwrap_or(0),
        position: position(row)?,
    })
}

fn custody_row(row: &Row) -> Result<CustodyStep> {
    let step = number(row, "step")?;
    Ok(match maybe(row, "shipment")? {
        None => CustodyStep {
            step,
            holder: address(row, "maker")?,
            shipment: 0,
            kind: 0,
            sender: Address::ZERO,
            document: b256(row, "document")?,
            offered_at: number(row, "registered_at")?,
            position: Position::of(number(row, "batch_place")?)?,
            closing: None,
        },
        Some(shipment) => CustodyStep {
            step,
            holder: address(row, "receiver")?,
            shipment,
            kind: number(row, "kind")?,
            sender: address(row, "sender")?,
            document: b256(row, "offer_document")?,
            offered_at: number(row, "offered_at")?,
            position: Position::of(number(row, "offer_place")?)?,
            closing: closing(row)?,
        },
    })
}

fn shipment_row(row: &Row) -> Result<Shipment> {
    Ok(Shipment {
        shipment: number(row, "shipment")?,
        sender: address(row, "sender")?,
        receiver: address(row, "receiver")?,
        kind: number(row, "kind")?,
        document: b256(row, "document")?,
        offered_at: number(row, "time")?,
        position: position(row)?,
        closing: closing(row)?,
    })
}

fn closing(row: &Row) -> Result<Option<Closing>> {
    let Some(state) = maybe(row, "state")? else {
        return Ok(None);
    };
    Ok(Some(Closing {
        state,
        closed_by: address(row, "closed_by")?,
        document: b256(row, "closing_document")?,
        at: number(row, "closed_at")?,
        position: Position::of(number(row, "closing_place")?)?,
    }))
}

fn unit_offer_row(row: &Row) -> Result<UnitOffer> {
    Ok(UnitOffer {
        batch: b256(row, "batch")?,
        unit: number(row, "unit")?,
        held: number(row, "held")?,
        step: number(row, "step")?,
        previous: number(row, "previous")?,
        position: position(row)?,
    })
}

fn recall_row(row: &Row) -> Result<Recall> {
    Ok(Recall {
        batch: b256(row, "batch")?,
        maker: address(row, "maker")?,
        gtin: number(row, "gtin")?,
        lot: b256(row, "lot")?,
        number: number(row, "number")?,
        from: number(row, "from_package")?,
        to: number(row, "to_package")?,
        class: number(row, "class")?,
        reason_code: number(row, "reason_code")?,
        issued_by: address(row, "issued_by")?,
        document: b256(row, "document")?,
        at: number(row, "time")?,
        position: position(row)?,
    })
}

fn dispensing_row(row: &Row) -> Result<Dispensing> {
    Ok(Dispensing {
        batch: b256(row, "batch")?,
        maker: address(row, "maker")?,
        gtin: number(row, "gtin")?,
        serial: b256(row, "serial")?,
        unit: number(row, "unit")?,
        package: number(row, "package")?,
        dispensed_by: address(row, "dispensed_by")?,
        document: b256(row, "document")?,
        at: number(row, "time")?,
        position: position(row)?,
    })
}
