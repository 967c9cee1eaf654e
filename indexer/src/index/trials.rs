//! Clinical trials: versions, sites, participants, data in the order in which they were anchored, results.
use super::{
    Page, Position, Result, View,
    answer::*,
    view::{page, paged, valid},
};
use crate::db::Row;
use alloy::primitives::{Address, B256, U256};
use medlock_abi::terms::{participant, trial as terms};

/// A trial as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trial {
    pub trial: B256,
    pub sponsor: Address,
    pub registration: B256,
    pub document: B256,
    /// UNIX seconds.
    pub registered_at: u64,
    /// The newest, and the least that participants must have consented to.
    pub version: u8,
    pub consent_version: u8,
    /// `medlock_abi::terms::trial`.
    pub state: u8,
    pub enrolled: u32,
    /// Of the enrolled.
    pub withdrawn: u32,
    pub batches: u32,
    pub results: u8,
    /// A hash over all batches; zero before the first.
    pub data: B256,
    pub lock: Option<DataLock>,
    /// Of its registration.
    pub position: Position,
}

/// From when on a trial's data are what they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DataLock {
    pub batches: u32,
    pub data: B256,
    /// UNIX seconds.
    pub at: u64,
    pub position: Position,
}

/// What was planned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrialVersion {
    pub version: u8,
    pub protocol: B256,
    pub plan: B256,
    pub form: B256,
    /// `medlock_abi::terms::amendment`; 0: of the first.
    pub reason_code: u8,
    /// Who has not consented to this one or a later one takes no part.
    pub reconsent: bool,
    pub document: B256,
    /// How many were enrolled before.
    pub enrolled_before: u32,
    /// UNIX seconds.
    pub at: u64,
    pub position: Position,
}

/// A site of a trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Site {
    pub trial: B256,
    pub site: Address,
    pub serial: u32,
    pub active: bool,
    pub enrolled: u32,
    /// Of the enrolled.
    pub withdrawn: u32,
    /// The highest sequence number of its batches; 0: it has none.
    pub last_sequence: u32,
    /// Of the event that set it last.
    pub position: Position,
}

/// Who takes part in a trial, or did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Participant {
    pub trial: B256,
    pub participant: Address,
    pub site: Address,
    /// At this site, from 1; 0: never enrolled.
    pub number: u32,
    /// That they have consented to last.
    pub version: u8,
    /// Of their consent to that.
    pub document: B256,
    /// `medlock_abi::terms::participant`.
    pub status: u8,
    /// UNIX seconds: since when they have this status.
    pub since: u64,
    /// Of the last consent.
    pub position: Position,
}

/// Data of a site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataBatch {
    pub trial: B256,
    pub site: Address,
    /// The site's own number of it, from 1.
    pub sequence: u32,
    /// UNIX seconds.
    pub from: u64,
    pub to: u64,
    pub root: B256,
    pub count: u32,
    /// Bit n of word w: number 256 w + n of the site.
    pub participants: Vec<U256>,
    /// `medlock_abi::terms::batch`.
    pub flags: u8,
    /// The trial's at that time.
    pub version: u8,
    /// A hash over all batches of the trial up to this one.
    pub data: B256,
    pub document: B256,
    /// UNIX seconds.
    pub anchored_at: u64,
    pub position: Position,
}

/// What follows from the data. Later ones correct earlier ones, which stay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrialResult {
    /// From 0.
    pub number: u8,
    pub version: u8,
    pub plan: B256,
    pub data: B256,
    pub results: B256,
    pub document: B256,
    /// UNIX seconds.
    pub at: u64,
    pub position: Position,
}

macro_rules! trials {
    ($which:literal) => {
        concat!(
            "SELECT t.trial, t.sponsor, t.registration, t.document, t.valid_from, b.time,
                    (SELECT max(v.version) FROM trial_version AS v WHERE v.trial = t.trial AND v.valid_from < $1) AS version,
                    (SELECT max(v.version) FROM trial_version AS v WHERE v.trial = t.trial AND v.valid_from < $1
                        AND (v.version = 1 OR v.reconsent = 1)) AS consent_version,
                    (SELECT count(*) FROM enrolment AS e WHERE e.trial = t.trial AND e.valid_from < $1) AS enrolled,
                    (SELECT count(*) FROM withdrawal AS w WHERE w.trial = t.trial AND w.valid_from < $1 AND w.number > 0)
                        AS withdrawn,
                    (SELECT count(*) FROM data_batch AS d WHERE d.trial = t.trial AND d.valid_from < $1) AS batches,
                    (SELECT count(*) FROM trial_result AS r WHERE r.trial = t.trial AND r.valid_from < $1) AS results,
                    (SELECT d.data FROM data_batch AS d WHERE d.trial = t.trial AND d.valid_from < $1
                        ORDER BY d.valid_from DESC LIMIT 1) AS data,
                    l.batches AS lock_batches, l.data AS lock_data, l.valid_from AS lock_place, lb.time AS locked_at,
                    z.valid_from AS closing_place
             FROM trial AS t
             JOIN block AS b ON b.number = t.valid_from >> 24
             LEFT JOIN data_lock AS l ON l.trial = t.trial AND l.valid_from < $1
             LEFT JOIN block AS lb ON lb.number = l.valid_from >> 24
             LEFT JOIN trial_closing AS z ON z.trial = t.trial AND z.valid_from < $1
             WHERE t.valid_from < $1 AND ",
            $which
        )
    };
}
macro_rules! sites {
    ($which:literal) => {
        concat!(
            "SELECT s.trial, s.site, s.serial, s.active, s.valid_from,
                    (SELECT count(*) FROM enrolment AS e WHERE e.trial = s.trial AND e.site = s.site AND e.valid_from < $1)
                        AS enrolled,
                    (SELECT count(*) FROM withdrawal AS w WHERE w.trial = s.trial AND w.site = s.site AND w.valid_from < $1
                        AND w.number > 0) AS withdrawn,
                    coalesce((SELECT max(d.sequence) FROM data_batch AS d WHERE d.trial = s.trial AND d.site = s.site
                        AND d.valid_from < $1), 0) AS last_sequence
             FROM site AS s WHERE ",
            valid!(then, "s"),
            " AND ",
            $which
        )
    };
}
macro_rules! participants {
    ($which:literal) => {
        concat!(
            "SELECT c.trial, c.participant, c.site, c.version, c.document, c.valid_from,
                    e.number, eb.time AS enrolled_at, wb.time AS withdrew_at,
                    (SELECT f.time FROM consent AS a JOIN block AS f ON f.number = a.valid_from >> 24
                        WHERE a.trial = c.trial AND a.participant = c.participant ORDER BY a.valid_to LIMIT 1) AS consented_at
             FROM consent AS c
             LEFT JOIN enrolment AS e ON e.trial = c.trial AND e.participant = c.participant AND e.valid_from < $1
             LEFT JOIN block AS eb ON eb.number = e.valid_from >> 24
             LEFT JOIN withdrawal AS w ON w.trial = c.trial AND w.participant = c.participant AND w.valid_from < $1
             LEFT JOIN block AS wb ON wb.number = w.valid_from >> 24
             WHERE ",
            valid!(then, "c"),
            " AND ",
            $which
        )
    };
}
macro_rules! data_batches {
    ($which:literal) => {
        concat!(
            "SELECT d.trial, d.site, d.sequence, d.period_from, d.period_to, d.root, d.leaves, d.participants, d.flags, d.version,
                    d.data, d.document, d.valid_from, b.time
             FROM data_batch AS d
             JOIN block AS b ON b.number = d.valid_from >> 24
             WHERE d.valid_from < $1 AND ",
            $which
        )
    };
}

impl View {
    pub async fn trial(&mut self, trial: B256) -> Result<Option<Trial>> {
        const SQL: &str = trials!("t.trial = $2");
        self.row(SQL, vec![trial.into()], trial_row).await
    }

    /// All trials, in the order in which they were registered.
    pub async fn trials(&mut self, page: Page) -> Result<Vec<Trial>> {
        const SQL: &str = trials!("t.valid_from > $2 ORDER BY t.valid_from LIMIT $3");
        let (after, limit) = page.bounds();
        self.rows(SQL, vec![after.into(), limit.into()], trial_row).await
    }

    pub async fn trials_of(&mut self, sponsor: Address, page: Page) -> Result<Vec<Trial>> {
        const SQL: &str = concat!(trials!("t.sponsor = $2"), page!("t"));
        self.rows(SQL, paged(sponsor, page), trial_row).await
    }

    /// From the first on: at most 255.
    pub async fn trial_versions(&mut self, trial: B256) -> Result<Vec<TrialVersion>> {
        const SQL: &str = "SELECT v.version, v.protocol, v.plan, v.form, v.reason_code, v.reconsent, v.document, v.valid_from, b.time,
                    (SELECT count(*) FROM enrolment AS e WHERE e.trial = v.trial AND e.valid_from < v.valid_from)
                        AS enrolled_before
             FROM trial_version AS v
             JOIN block AS b ON b.number = v.valid_from >> 24
             WHERE v.valid_from < $1 AND v.trial = $2 ORDER BY v.version";
        self.rows(SQL, vec![trial.into()], trial_version_row).await
    }

    /// All that were ever named, dismissed ones too.
    pub async fn sites(&mut self, trial: B256, page: Page) -> Result<Vec<Site>> {
        const SQL: &str = concat!(sites!("s.trial = $2"), page!("s"));
        self.rows(SQL, paged(trial, page), site_row).await
    }

    pub async fn site(&mut self, trial: B256, site: Address) -> Result<Option<Site>> {
        const SQL: &str = sites!("s.trial = $2 AND s.site = $3");
        self.row(SQL, vec![trial.into(), site.into()], site_row).await
    }

    /// Of which trials an account was ever named a site.
    pub async fn sites_of(&mut self, account: Address, page: Page) -> Result<Vec<Site>> {
        const SQL: &str = concat!(sites!("s.site = $2"), page!("s"));
        self.rows(SQL, paged(account, page), site_row).await
    }

    pub async fn participant(&mut self, trial: B256, account: Address) -> Result<Option<Participant>> {
        const SQL: &str = participants!("c.trial = $2 AND c.participant = $3");
        self.row(SQL, vec![trial.into(), account.into()], participant_row).await
    }

    /// What an account takes part in: one trial, where it is used as it is meant to be.
    pub async fn participations(&mut self, account: Address, page: Page) -> Result<Vec<Participant>> {
        const SQL: &str = concat!(participants!("c.participant = $2"), page!("c"));
        self.rows(SQL, paged(account, page), participant_row).await
    }

    /// Who has named `site`: enrolled, withdrawn, or still to be enrolled. In the order of their last consents.
    pub async fn participants(&mut self, trial: B256, site: Address, page: Page) -> Result<Vec<Participant>> {
        const SQL: &str = concat!(participants!("c.trial = $2 AND c.site = $5"), page!("c"));
        let mut args = paged(trial, page);
        args.push(site.into());
        self.rows(SQL, args, participant_row).await
    }

    /// In the order in which they were anchored, which is that of [`Trial::data`].
    pub async fn data_batches(&mut self, trial: B256, page: Page) -> Result<Vec<DataBatch>> {
        const SQL: &str = concat!(data_batches!("d.trial = $2"), page!("d"));
        self.rows(SQL, paged(trial, page), data_batch_row).await
    }

    pub async fn data_batch(&mut self, trial: B256, site: Address, sequence: u32) -> Result<Option<DataBatch>> {
        const SQL: &str = data_batches!("d.trial = $2 AND d.site = $3 AND d.sequence = $4");
        let args = vec![trial.into(), site.into(), sequence.into()];
        self.row(SQL, args, data_batch_row).await
    }

    /// From the first on: at most 255.
    pub async fn trial_results(&mut self, trial: B256) -> Result<Vec<TrialResult>> {
        const SQL: &str = "SELECT r.number, r.version, r.plan, r.data, r.results, r.document, r.valid_from, b.time
             FROM trial_result AS r
             JOIN block AS b ON b.number = r.valid_from >> 24
             WHERE r.valid_from < $1 AND r.trial = $2 ORDER BY r.number";
        self.rows(SQL, vec![trial.into()], trial_result_row).await
    }
}

fn trial_row(row: &Row) -> Result<Trial> {
    let lock = match maybe(row, "lock_place")? {
        None => None,
        Some(place) => Some(DataLock {
            batches: number(row, "lock_batches")?,
            data: b256(row, "lock_data")?,
            at: number(row, "locked_at")?,
            position: Position::of(place)?,
        }),
    };
    let closed = maybe::<i64>(row, "closing_place")?.is_some();
    Ok(Trial {
        trial: b256(row, "trial")?,
        sponsor: address(row, "sponsor")?,
        registration: b256(row, "registration")?,
        document: b256(row, "document")?,
        registered_at: number(row, "time")?,
        version: number(row, "version")?,
        consent_version: number(row, "consent_version")?,
        state: match lock {
            _ if closed => terms::CLOSED,
            Some(_) => terms::LOCKED,
            None => terms::OPEN,
        },
        enrolled: number(row, "enrolled")?,
        withdrawn: number(row, "withdrawn")?,
        batches: number(row, "batches")?,
        results: number(row, "results")?,
        data: match row.bytes("data")? {
            None => B256::ZERO,
            Some(_) => b256(row, "data")?,
        },
        lock,
        position: position(row)?,
    })
}

fn trial_version_row(row: &Row) -> Result<TrialVersion> {
    Ok(TrialVersion {
        version: number(row, "version")?,
        protocol: b256(row, "protocol")?,
        plan: b256(row, "plan")?,
        form: b256(row, "form")?,
        reason_code: number(row, "reason_code")?,
        reconsent: flag(row, "reconsent")?,
        document: b256(row, "document")?,
        enrolled_before: number(row, "enrolled_before")?,
        at: number(row, "time")?,
        position: position(row)?,
    })
}

fn site_row(row: &Row) -> Result<Site> {
    Ok(Site {
        trial: b256(row, "trial")?,
        site: address(row, "site")?,
        serial: number(row, "serial")?,
        active: flag(row, "active")?,
        enrolled: number(row, "enrolled")?,
        withdrawn: number(row, "withdrawn")?,
        last_sequence: number(row, "last_sequence")?,
        position: position(row)?,
    })
}

fn participant_row(row: &Row) -> Result<Participant> {
    let enrolled_at: Option<u64> = maybe(row, "enrolled_at")?;
    let withdrew_at: Option<u64> = maybe(row, "withdrew_at")?;
    let (status, since) = match (withdrew_at, enrolled_at) {
        (Some(at), _) => (participant::WITHDRAWN, at),
        (None, Some(at)) => (participant::ENROLLED, at),
        // Since the first consent: a later one does not change the status.
        (None, None) => (participant::CONSENTED, number(row, "consented_at")?),
    };
    Ok(Participant {
        trial: b256(row, "trial")?,
        participant: address(row, "participant")?,
        site: address(row, "site")?,
        number: maybe(row, "number")?.unwrap_or(0),
        version: number(row, "version")?,
        document: b256(row, "document")?,
        status,
        since,
        position: position(row)?,
    })
}

fn data_batch_row(row: &Row) -> Result<DataBatch> {
    let words = bytes(row, "participants")?;
    Ok(DataBatch {
        trial: b256(row, "trial")?,
        site: address(row, "site")?,
        sequence: number(row, "sequence")?,
        from: number(row, "period_from")?,
        to: number(row, "period_to")?,
        root: b256(row, "root")?,
        count: number(row, "leaves")?,
        participants: words.chunks(32).map(U256::from_be_slice).collect(),
        flags: number(row, "flags")?,
        version: number(row, "version")?,
        data: b256(row, "data")?,
        document: b256(row, "document")?,
        anchored_at: number(row, "time")?,
        position: position(row)?,
    })
}

fn trial_result_row(row: &Row) -> Result<TrialResult> {
    Ok(TrialResult {
        number: number(row, "number")?,
        version: number(row, "version")?,
        plan: b256(row, "plan")?,
        data: b256(row, "data")?,
        results: b256(row, "results")?,
        document: b256(row, "document")?,
        at: number(row, "time")?,
        position: position(row)?,
    })
}
