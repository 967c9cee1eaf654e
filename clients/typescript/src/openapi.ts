// Generated from gateway/openapi.json; do not edit.

export interface paths {
    "/fhir/metadata": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What this endpoint does: its CapabilityStatement. For everybody. */
        get: operations["fhir_metadata"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/fhir/{type}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A search, by the parameters that the CapabilityStatement names. */
        get: operations["fhir_search"];
        put?: never;
        /** Creates a Consent from a grant that its granter has signed. The gateway submits it and pays, as it does for `/v1/relay/operations`. */
        post: operations["fhir_create"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/fhir/{type}/_search": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** The same, with parameters in the body as well: no chart or account stands in a log of URLs. */
        post: operations["fhir_search_by_form"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/fhir/{type}/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A resource by its id, if the caller may see it. */
        get: operations["fhir_read"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/health": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The process answers. */
        get: operations["health"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/ready": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The chain is the deployment's, the index follows it, and the database answers. */
        get: operations["ready"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/blocks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Stores the blocks of a CAR v1 stream, each checked against its CID. They are on disk when this answers. */
        post: operations["upload"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/blocks/missing": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Which of these blocks are not kept: what is to be uploaded again after an upload was broken off. It counts as an upload of all of
         *     them.
         */
        post: operations["missing"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/charts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The charts that the caller controls, in the order in which they came to be the caller's. The chain says whether it is true. */
        get: operations["charts"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/charts/{chart}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A chart as the chain has it. */
        get: operations["chart"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/charts/{chart}/directory": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The chart's current directory block. Check it against `directory` of the chart on chain. */
        get: operations["directory"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/charts/{chart}/emergencies": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Who has broken the chart's glass, newest first: to the controller all, to anybody else their own. */
        get: operations["emergencies"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/charts/{chart}/emergency": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The chart's emergency kit (dag-cbor); 204: there is none, so that nobody who breaks the glass gets keys. To the controller, to the
         *     custodians that it names, and to whoever has broken the glass. Check the controller's signature, and its scope against the chain.
         */
        get: operations["emergency_kit"];
        /**
         * Puts a kit in the place of the chart's earlier one, of which nothing stays. To the controller, who has signed it for the directory and
         *     the serial of emergency access that stand; where that is not allowed yet, for the serial that allowing it gives. At most 60 KiB.
         */
        put: operations["put_emergency_kit"];
        post?: never;
        /** Removes the chart's kit, with what was released of it. To the controller. May be repeated. */
        delete: operations["delete_emergency_kit"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/charts/{chart}/emergency/shares": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The shares that custodians have sealed to the caller, who has broken the glass. */
        get: operations["emergency_shares"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/charts/{chart}/emergency/shares/{party}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Hands in a custodian's share of the kit that stands, sealed to the party, which has broken the glass. At most 2,048 bytes; it may be
         *     repeated.
         */
        put: operations["release_emergency_share"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/charts/{chart}/grants": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The grants that stand on a chart: all to the controller and to delegates who may grant, revoke or rotate keys; to anybody else their own. */
        get: operations["grants"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/charts/{chart}/keyring": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The caller's own keyring block, or that of the organisation that they act for. */
        get: operations["keyring"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/charts/{chart}/reads": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Who read what, when and why, through this gateway. To the controller. */
        get: operations["reads"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/charts/{chart}/records": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The latest version of each record in the compartments that the caller may read at present, oldest record first. Whether one
         *     of them may be read is decided when it is: a rule may deny it, or it was shredded. One that a rule alone allows is not listed.
         */
        get: operations["records"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/charts/{chart}/records/{record}/erasure": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What is left of a shredded record where this gateway keeps blocks. */
        get: operations["erasure"];
        put?: never;
        /** Removes what can go at once: the envelopes, with the sealed keys. May be repeated. */
        post: operations["erase"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/charts/{chart}/records/{record}/versions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The versions of a record, oldest first. */
        get: operations["versions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/charts/{chart}/records/{record}/versions/{version}/payload": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The payload of a version as a CAR v1 stream, to a reader whose receipt is on file and who may still read it. With `entity-bytes=FROM:TO`
         *     (both counted; `*`: the end), only the blocks that hold these bytes and those that prove where they stand.
         */
        get: operations["payload"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/charts/{chart}/records/{record}/versions/{version}/reads": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** The envelope of a version, once its reader's receipt is on file. */
        post: operations["read"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/claims": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Claims, in the order in which they were submitted: those of the caller (or of the organisation that they act for) as a provider or as an
         *     insurer, or, with `chart`, all that are about a chart of the caller's. `state`: those that stand there alone.
         */
        get: operations["claims"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/claims/facts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Claims as above that were submitted at `since` (UNIX seconds) or later, with the records that they rest on: for whoever looks for signs of fraud. */
        get: operations["facts"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/claims/{claim}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A claim, its steps, and the records that it rests on. */
        get: operations["claim"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/claims/{claim}/documents/{document}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A sealed document of a claim, by its digest: to those whom it is sealed to. */
        get: operations["document"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/custody": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The open emergencies for which the caller, a custodian, has not released its share yet. */
        get: operations["custody"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/decisions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * "May I use this, for this purpose, now or at that time?" A chart that does not exist and one without a grant to
         *     the caller read the same.
         */
        post: operations["decide"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/deployment": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The deployment that this gateway serves, and its own account. */
        get: operations["deployment"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/grants": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The grants that stand and were given to the caller, or to the organisation that they act for, on whatever chart. */
        get: operations["my_grants"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/insurers/{account}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What an insurer accepts, and whether it shares the registry of services with others. */
        get: operations["insurer"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/memberships": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Who is a member of the caller, and of whom the caller is one, and whether the organisation's keys are kept here for the member. */
        get: operations["memberships"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/memberships/{account}/keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The keys of the organisation `account`, sealed to the caller, who is a member now. */
        get: operations["membership"];
        /** The caller's keys as an organisation, sealed to the member `account` (a membership block), in the place of those before. */
        put: operations["keep_membership"];
        post?: never;
        /** Removes what is kept of the caller's keys for `account`, member or not. */
        delete: operations["remove_membership"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/parties/{account}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What the registry has of an account: public facts. */
        get: operations["party"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/relay/operations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The operations that the caller has submitted or signed, oldest first. */
        get: operations["all"];
        put?: never;
        /**
         * Takes an operation on. The contracts would do it at the latest block, or it is refused here with their error. The same operation
         *     again is the same submission: it is submitted and paid once, whoever hands it in.
         */
        post: operations["submit"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/relay/operations/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Where an operation stands, to who submitted or signed it. */
        get: operations["one"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Opens a session for the account that signed the challenge: eight hours where its key did, one where its code says that it did. */
        post: operations["open"];
        /** Ends the session of the token. */
        delete: operations["close"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sessions/all": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Ends every session of the caller's account, on whichever device and at whichever gateway of this operator. */
        delete: operations["close_all"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sessions/challenge": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A message to sign. It stands for five minutes and opens one session. */
        post: operations["challenge"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/status": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How far the index is behind the chain. */
        get: operations["status"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/supply/batches/{batch}/custody/{package}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How the unit with this package of a batch came to who holds it: the last step first, back to the maker. */
        get: operations["chain_of_custody"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/supply/recalls": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * All recalls there are, in the order in which they were issued. Patients' clients read on from the last that they have seen: no gateway learns which
         *     packages somebody has.
         */
        get: operations["recalls"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/supply/shipments": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Shipments from or to the caller, or the organisation that they act for, in the order in which they were offered. `open`: those alone that nobody has closed. */
        get: operations["shipments"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/supply/units": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What the caller, or the organisation that they act for, holds, by batch and unit. */
        get: operations["units"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/trials": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** All trials, in the order in which they were registered. */
        get: operations["trials"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/trials/{trial}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A trial, its versions and its results. */
        get: operations["trial"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/trials/{trial}/batches": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The data that were anchored in a trial, in the order of the chain. */
        get: operations["batches"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/trials/{trial}/sites": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The sites that were ever named in a trial. */
        get: operations["sites"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description The latest setting of a currency. */
        AcceptedCurrency: {
            accepted: boolean;
            /**
             * Format: int32
             * @description ISO 4217 numeric.
             */
            currency: number;
            /**
             * Format: int32
             * @description One minor unit is 10^`scale` units of the token.
             */
            scale: number;
            token?: components["schemas"]["Hex20"] | null;
            /** Format: int32 */
            version: number;
        };
        /**
         * @description Exactly one action: `"read"`, `"write"` or `"share"`.
         * @example read
         */
        Action: "read" | "write" | "share";
        /**
         * @description A set of actions, as a list of names in bit order. The field is the bit mask.
         * @example [
         *       "read",
         *       "write"
         *     ]
         */
        Actions: string[];
        /**
         * Format: binary
         * @description A body of bytes.
         */
        Binary: Uint8Array;
        /** @description `POST /v1/blocks/missing`: so that an upload that was broken off can go on. */
        BlocksAsked: {
            /** @description sha2-256 digests, 1 to 512. */
            digests: components["schemas"]["Hex32"][];
        };
        /** @description Those that are to be uploaded, in the order of the question. The others are as if they were uploaded now. */
        BlocksMissing: {
            missing: components["schemas"]["Hex32"][];
        };
        /** @description `GET /v1/supply/batches/{batch}/custody/{package}`: how the unit with this package came to who holds it, the last step first. */
        ChainOfCustody: {
            steps: components["schemas"]["CustodyStep"][];
            /**
             * Format: int32
             * @description Its first package.
             */
            unit: number;
        };
        Challenge: {
            /** @description EIP-4361 text; see [`crate::siwe::Message::parse`]. */
            message: string;
        };
        /** @description `POST /v1/sessions/challenge`. */
        ChallengeRequest: {
            account: components["schemas"]["Hex20"];
        };
        /** @description `GET /v1/charts/{chart}`. */
        Chart: {
            chart: components["schemas"]["Hex32"];
            /**
             * Format: int64
             * @description UNIX seconds.
             */
            controlled_since: number;
            /**
             * Format: int64
             * @description The block in which the controller got the chart: it was opened, or control was passed on.
             */
            controlled_since_block: number;
            controller: components["schemas"]["Hex20"];
            /** @description sha2-256 digest of the directory block's CID (dag-cbor). */
            directory: components["schemas"]["Hex32"];
            /** Format: int32 */
            directory_version: number;
            /** Format: int32 */
            grant_epoch: number;
        };
        /** @description `GET /v1/charts`: those that the caller controls. */
        Charts: {
            charts: components["schemas"]["Chart"][];
            /** @description Pass as `after` for the next page; absent on the last. */
            next?: string | null;
        };
        /** @description A claim as it stands. What was billed and approved is on chain as commitments alone: its documents tell the parties. */
        Claim: {
            /** Format: int32 */
            appeals: number;
            approved?: components["schemas"]["Hex32"] | null;
            /** @description keccak256(document, amount, salt). */
            billed: components["schemas"]["Hex32"];
            /**
             * Format: int64
             * @description In which it was submitted.
             */
            block: number;
            chart: components["schemas"]["Hex32"];
            claim: components["schemas"]["Hex32"];
            /**
             * Format: int32
             * @description ISO 4217 numeric.
             */
            currency: number;
            /**
             * Format: int32
             * @description Of the insurer's setting of the currency.
             */
            currency_version: number;
            /**
             * Format: int64
             * @description UNIX seconds of what is due next; absent: nothing is.
             */
            deadline?: number | null;
            /** @description sha2-256 digest of the sealed document's CID (dag-cbor). */
            document: components["schemas"]["Hex32"];
            /** @description The same for the same service of the chart by the same provider. */
            fingerprint: components["schemas"]["Hex32"];
            insurer: components["schemas"]["Hex20"];
            previous?: components["schemas"]["Hex32"] | null;
            provider: components["schemas"]["Hex20"];
            /** @description Of the last decision, or of the reversal, by name. */
            reason?: string | null;
            /**
             * Format: int32
             * @description How often information was requested.
             */
            rounds: number;
            /**
             * Format: int32
             * @description Counts the claim's steps; the next step names it.
             */
            serial: number;
            /** @description The service is held in the registry that insurers share, and otherwise in the insurer's own. */
            shared: boolean;
            state: components["schemas"]["ClaimState"];
            /**
             * Format: int64
             * @description UNIX seconds of the last step.
             */
            stepped_at: number;
            /**
             * Format: int64
             * @description UNIX seconds.
             */
            submitted_at: number;
            /** @description The provider, or its member. */
            submitted_by: components["schemas"]["Hex20"];
        };
        /** @description A claim, and the records that it rests on. */
        ClaimFacts: {
            claim: components["schemas"]["Claim"];
            links: components["schemas"]["ClaimLink"][];
        };
        /** @description `GET /v1/claims/{claim}`. */
        ClaimHistory: {
            claim: components["schemas"]["Claim"];
            links: components["schemas"]["ClaimLink"][];
            /** @description From its submission on. */
            steps: components["schemas"]["ClaimStep"][];
        };
        /** @description A record that a claim rests on. */
        ClaimLink: {
            /**
             * Format: int64
             * @description UNIX seconds: the same of the record's first version.
             */
            created_at?: number | null;
            /** @description Of the version that is meant. */
            pointer: components["schemas"]["Hex32"];
            record_id: components["schemas"]["Hex32"];
            /**
             * Format: int64
             * @description UNIX seconds: when the chain was first told of that version; absent: it was not, before the claim.
             */
            written_at?: number | null;
        };
        /**
         * @description Where a claim stands.
         * @enum {string}
         */
        ClaimState: "received" | "in-review" | "information-requested" | "approved" | "partly-approved" | "denied" | "appealed" | "paid" | "reversed" | "withdrawn";
        /** @description A step of a claim. */
        ClaimStep: {
            amount?: components["schemas"]["Hex32"] | null;
            /**
             * Format: int64
             * @description UNIX seconds.
             */
            at: number;
            /** Format: int64 */
            block: number;
            /** @description A party, or its member. */
            by: components["schemas"]["Hex20"];
            /**
             * Format: int64
             * @description UNIX seconds.
             */
            deadline?: number | null;
            document?: components["schemas"]["Hex32"] | null;
            /** @description The event's name in the ABI. */
            event: string;
            payment?: components["schemas"]["TokenPayment"] | null;
            reason?: string | null;
            remittance?: components["schemas"]["Hex32"] | null;
            /**
             * Format: int32
             * @description The claim's from here on; 1: it was submitted.
             */
            serial: number;
            state: components["schemas"]["ClaimState"];
            tx: components["schemas"]["Hex32"];
        };
        /** @description `GET /v1/claims`, in the order in which they were submitted. */
        Claims: {
            claims: components["schemas"]["Claim"][];
            /** @description Pass as `after` for the next page; absent on the last. */
            next?: string | null;
        };
        /** @description `GET /v1/claims/facts`: what there is to look for signs of fraud in, without opening a document. */
        ClaimsFacts: {
            facts: components["schemas"]["ClaimFacts"][];
            /** @description Pass as `after` for the next page; absent on the last. */
            next?: string | null;
        };
        /**
         * @description A set of compartments, as an ascending list of numbers 0..63. The field is the bit mask.
         * @example [
         *       0,
         *       3
         *     ]
         */
        Compartments: number[];
        Credential: {
            /** @description In force: neither suspended nor revoked, not expired, its issuer not dismissed since. */
            current: boolean;
            document: components["schemas"]["Hex32"];
            /**
             * Format: int64
             * @description UNIX seconds; 0: none.
             */
            expiry: number;
            /**
             * Format: int64
             * @description UNIX seconds: issued, or reinstated last.
             */
            issued_at: number;
            issuer: components["schemas"]["Hex20"];
            roles: components["schemas"]["Roles"];
            /** @description `issued`, `suspended` or `revoked`. */
            status: string;
        };
        /** @description `GET /v1/custody`: those for which the caller has not released its share yet. */
        Custody: {
            emergencies: components["schemas"]["OpenEmergency"][];
            /** @description Pass as `after` for the next page; absent on the last. A page may be empty and not be the last. */
            next?: string | null;
        };
        /** @description A link in a unit's chain of custody. */
        CustodyStep: {
            /**
             * Format: int64
             * @description UNIX seconds: registered, or accepted.
             */
            at: number;
            document?: components["schemas"]["Hex32"] | null;
            holder: components["schemas"]["Hex20"];
            /** @description By which it came; `0`: the holder is the maker, who registered it. */
            shipment: string;
            step: string;
        };
        /** @description Answers in the order of the questions. */
        DecisionReply: {
            /** @description Where proofs were asked for, one for each verdict; null for a no. */
            proofs?: Record<string, never>[];
            /** @description 65 bytes r || s || v by the gateway over [`DecisionReply::signing_hash`]. */
            signature: components["schemas"]["HexBytes"];
            verdicts: components["schemas"]["Verdict"][];
        };
        DecisionRequest: {
            /** @description With a proof, from the block's hash, of each yes: of at most 16 questions. */
            prove?: boolean;
            /** @description At most 10,000. */
            questions: components["schemas"]["Question"][];
        };
        /** @description `GET /v1/deployment`: what a client compares with its own deployment before it trusts an answer. */
        Deployment: {
            audit: components["schemas"]["Hex20"];
            /**
             * Format: int64
             * @description The block of the deployment.
             */
            block: number;
            /** Format: int64 */
            chain_id: number;
            claims: components["schemas"]["Hex20"];
            exceptions: components["schemas"]["Hex20"];
            /** @description The account that signs this gateway's verdicts and that receipts are addressed to. */
            gateway: components["schemas"]["Hex20"];
            genesis_hash: components["schemas"]["Hex32"];
            records: components["schemas"]["Hex20"];
            registry: components["schemas"]["Hex20"];
            relay: components["schemas"]["Hex20"];
            supply: components["schemas"]["Hex20"];
            trials: components["schemas"]["Hex20"];
        };
        /** @description `GET /v1/charts/{chart}/emergencies`, newest first: to the controller all, to anybody else their own. */
        Emergencies: {
            emergencies: components["schemas"]["Emergency"][];
            /** @description Pass as `after` for the next page; absent on the last. */
            next?: string | null;
        };
        /** @description Glass that was broken: a party opened a chart for itself, without a grant. */
        Emergency: {
            chart: components["schemas"]["Hex32"];
            /**
             * Format: int64
             * @description UNIX seconds: when it was closed before its time; null: it was not.
             */
            closed_at?: number | null;
            compartments: components["schemas"]["Compartments"];
            /** @description By the chain, at present. It also ends with all grants of the chart, and where emergency access is forbidden. */
            open: boolean;
            /**
             * Format: int64
             * @description UNIX seconds of its block.
             */
            opened_at: number;
            organisation?: components["schemas"]["Hex20"] | null;
            party: components["schemas"]["Hex20"];
            /** @description Stable text: `unable-to-consent`, `life-threatening`, `public-danger` or `other`. */
            reason: string;
            /**
             * Format: int32
             * @description The code of `reason` (`medlock_abi::terms::emergency`).
             */
            reason_code: number;
            /**
             * Format: int64
             * @description UNIX seconds: when its time is over, unless it is ended before.
             */
            until: number;
        };
        /** @description A share that a custodian has sealed to the caller. */
        EmergencyShare: {
            custodian: components["schemas"]["Hex20"];
            /** @description The sealed share (dag-cbor). */
            share: components["schemas"]["HexBytes"];
        };
        /** @description `GET /v1/charts/{chart}/emergency/shares`: of the kit that stands, at most 32. */
        EmergencyShares: {
            shares: components["schemas"]["EmergencyShare"][];
        };
        ErasedVersion: {
            /** @description With the envelope goes the sealed key of the payload: once it is gone, nobody can open what may be left of that. */
            envelope: components["schemas"]["Remains"];
            /**
             * Format: int64
             * @description When the envelope's removal was first asked for here, UNIX seconds.
             */
            erased_at?: number | null;
            /** @description Goes with the gateway's upkeep, which knows whether another record has the same. */
            payload: components["schemas"]["Remains"];
            /** @description sha2-256 digest of the envelope. */
            pointer: components["schemas"]["Hex32"];
            /** Format: int32 */
            version: number;
        };
        /** @description `GET, POST /v1/charts/{chart}/records/{record}/erasure`: what is left of a shredded record where this gateway keeps blocks. */
        Erasure: {
            chart: components["schemas"]["Hex32"];
            /** @description Nothing of any version is left. */
            complete: boolean;
            record_id: components["schemas"]["Hex32"];
            /** @description Every version that there was, ascending. */
            versions: components["schemas"]["ErasedVersion"][];
        };
        /** @description A grant as it stands at the index's head. */
        Grant: {
            actions: components["schemas"]["Actions"];
            chart: components["schemas"]["Hex32"];
            compartments: components["schemas"]["Compartments"];
            /**
             * Format: int64
             * @description UNIX seconds; 0: none.
             */
            expiry: number;
            /**
             * Format: int64
             * @description UNIX seconds of that block.
             */
            granted_at: number;
            /** Format: int64 */
            granted_block: number;
            grantee: components["schemas"]["Hex20"];
            /** @description sha2-256 digest of the keyring block's CID (dag-cbor). */
            keyring: components["schemas"]["Hex32"];
            /**
             * Format: int64
             * @description UNIX seconds; in force while `not_before <= now < expiry`.
             */
            not_before: number;
            purposes: components["schemas"]["Purposes"];
        };
        /** @description `GET /v1/charts/{chart}/grants` and `GET /v1/grants`: grants that were not revoked, expired ones included. */
        Grants: {
            grants: components["schemas"]["Grant"][];
            /** @description Pass as `after` for the next page; absent on the last. */
            next?: string | null;
        };
        /** @description `GET /health` (the process answers) and `GET /ready` (chain, index, store and database do too). */
        Health: {
            status: string;
        };
        /**
         * @description 20 bytes: an account or a contract.
         * @example 0x00000000000000000000000000000000000000a1
         */
        Hex20: `0x${string}`;
        /**
         * @description 32 bytes: an id, a digest or a hash.
         * @example 0x5c62e0910d6cf9bba0c4e2a0b4a5ee3c0b5f1a0cf4a7dc1ba2f0a0b5e1b9d0aa
         */
        Hex32: `0x${string}`;
        /**
         * @description Any number of bytes.
         * @example 0x00
         */
        HexBytes: `0x${string}`;
        /**
         * @description A number of up to 256 bits.
         * @example 0x1f
         */
        HexNumber: `0x${string}`;
        /** @description `GET /v1/insurers/{account}`: what a provider has to know before it submits a claim. */
        Insurer: {
            currencies: components["schemas"]["AcceptedCurrency"][];
            insurer: components["schemas"]["Hex20"];
            /**
             * Format: int32
             * @description Of its setting; 0: it has never set any.
             */
            serial: number;
            /** @description Its claims are held in the registry that insurers share. */
            shared: boolean;
        };
        /** @description One account's membership of an organisation, as the index has it. */
        Membership: {
            /**
             * Format: int64
             * @description UNIX seconds; 0: none.
             */
            expiry: number;
            /** @description The member may act for the organisation: neither the membership nor the organisation's credential has ended. */
            in_force: boolean;
            keys?: components["schemas"]["MembershipKeys"] | null;
            member: components["schemas"]["Hex20"];
            organisation: components["schemas"]["Hex20"];
            /**
             * Format: int64
             * @description UNIX seconds.
             */
            since: number;
        };
        /** @description Which keys a sealed membership stands between. */
        MembershipKeys: {
            /** @description Neither of the two has published another key since. */
            current: boolean;
            /**
             * Format: int32
             * @description The member's key that it is sealed to.
             */
            member_key_version: number;
            /**
             * Format: int32
             * @description The newest of the organisation's keys in it, by its number in the registry.
             */
            organisation_key_version: number;
        };
        /** @description `GET /v1/memberships`: who is a member of the caller's, and of whom the caller is a member, oldest first. */
        Memberships: {
            memberships: components["schemas"]["Membership"][];
            /** @description Pass as `after` for the next page; absent on the last. */
            next?: string | null;
        };
        /** @description An open emergency on a chart whose kit names the caller as a custodian. A hint: the chain says whether it is open. */
        OpenEmergency: {
            chart: components["schemas"]["Hex32"];
            party: components["schemas"]["Hex20"];
            /**
             * Format: int64
             * @description UNIX seconds.
             */
            until: number;
        };
        /**
         * @description `GET /v1/parties/{account}`: what the registry has, which is public: the last credential and the newest key, in force
         *     or not. An account that it does not know has neither.
         */
        Party: {
            account: components["schemas"]["Hex20"];
            credential?: components["schemas"]["Credential"] | null;
            key?: components["schemas"]["PartyKey"] | null;
        };
        /** @description A published encryption key. */
        PartyKey: {
            /** @description The key itself, from the event. Check it against `keyOf(account).digest` = keccak256(key) on chain. */
            key: components["schemas"]["HexBytes"];
            /**
             * Format: int64
             * @description UNIX seconds; 0: not revoked. Nobody seals to a revoked key.
             */
            revoked_at: number;
            /**
             * Format: int32
             * @description `medlock_abi::terms::suite`.
             */
            suite: number;
            /**
             * Format: int64
             * @description UNIX seconds.
             */
            valid_from: number;
            /** Format: int32 */
            version: number;
        };
        /** @description A problem details body (RFC 9457, section 3), with Medlock's extension members. */
        Problem: {
            /** @description What is wrong with this request, for people. A 5xx has none. */
            detail?: string | null;
            digest?: components["schemas"]["Hex32"] | null;
            /** @description The part of the request that is at fault. */
            field?: string | null;
            /** @description Stable text where a kind has more than one cause. */
            reason?: string | null;
            revert?: components["schemas"]["HexBytes"] | null;
            /** Format: int32 */
            status: number;
            title: string;
            /**
             * @description Stable, for programs: `urn:medlock:problem:<slug>`. A later gateway may know more of them.
             * @enum {string}
             */
            type: "urn:medlock:problem:bad-request" | "urn:medlock:problem:no-route" | "urn:medlock:problem:not-acceptable" | "urn:medlock:problem:no-session" | "urn:medlock:problem:session-expired" | "urn:medlock:problem:sign-in-refused" | "urn:medlock:problem:forbidden-or-unknown" | "urn:medlock:problem:receipt-invalid" | "urn:medlock:problem:receipt-replayed" | "urn:medlock:problem:receipt-missing" | "urn:medlock:problem:not-shredded" | "urn:medlock:problem:payload-too-large" | "urn:medlock:problem:car-invalid" | "urn:medlock:problem:too-many" | "urn:medlock:problem:relay-off" | "urn:medlock:problem:operation-invalid" | "urn:medlock:problem:operation-refused" | "urn:medlock:problem:idempotency-key-reused" | "urn:medlock:problem:relay-quota" | "urn:medlock:problem:relay-unfunded" | "urn:medlock:problem:timeout" | "urn:medlock:problem:busy" | "urn:medlock:problem:chain-down" | "urn:medlock:problem:chain-mismatch" | "urn:medlock:problem:index-behind" | "urn:medlock:problem:proof-unavailable" | "urn:medlock:problem:block-missing" | "urn:medlock:problem:block-corrupt" | "urn:medlock:problem:storage-full" | "urn:medlock:problem:internal";
        };
        /**
         * @description Exactly one purpose, as its HL7 PurposeOfUse code: `"TREAT"`.
         * @example TREAT
         */
        Purpose: "TREAT" | "ETREAT" | "HPAYMT" | "HOPERAT" | "HRESCH" | "PATRQT" | "PUBHLTH";
        /**
         * @description A set of purposes, as a list of codes in bit order. The field is the bit mask.
         * @example [
         *       "TREAT",
         *       "HPAYMT"
         *     ]
         */
        Purposes: string[];
        /** @description One question of `POST /v1/decisions`; the grantee is the caller. */
        Question: {
            action: components["schemas"]["Action"];
            /**
             * Format: int64
             * @description UNIX seconds; absent: now.
             */
            at?: number | null;
            chart: components["schemas"]["Hex32"];
            /** Format: int32 */
            compartment: number;
            purpose: components["schemas"]["Purpose"];
            record_id?: components["schemas"]["Hex32"] | null;
        };
        /**
         * @description An entry's place under an anchor of its gateway (`IAudit.Anchor`), and the path there: RFC 9162 with keccak256, the leaf's data is
         *     [`ReadEntry::hash`].
         */
        ReadAnchor: {
            /**
             * Format: int64
             * @description Where it was anchored, by the gateway's index.
             */
            block?: number | null;
            /** Format: int32 */
            count: number;
            /**
             * Format: int64
             * @description The sequence of the first receipt under it.
             */
            first: number;
            /**
             * Format: int64
             * @description From 0.
             */
            index: number;
            /** @description Siblings from the leaf up. */
            path: components["schemas"]["Hex32"][];
            /**
             * Format: int32
             * @description Of the entry, from 0.
             */
            position: number;
            /** @description The anchor before; zero at index 0. */
            previous: components["schemas"]["Hex32"];
            root: components["schemas"]["Hex32"];
        };
        /** @description One entry of a gateway's log of reads. */
        ReadEntry: {
            anchor?: components["schemas"]["ReadAnchor"] | null;
            /**
             * Format: int64
             * @description The block at whose state the read was allowed.
             */
            block: number;
            block_hash: components["schemas"]["Hex32"];
            hash: components["schemas"]["Hex32"];
            /** @description Hash of the entry before; zero for the first. */
            previous: components["schemas"]["Hex32"];
            /** @description Basis of access: `controller` or `grant`. */
            reason: string;
            /**
             * Format: int32
             * @description The code of `reason` (`medlock_abi::terms::reason`).
             */
            reason_code: number;
            receipt: components["schemas"]["Receipt"];
            /**
             * Format: int64
             * @description UNIX seconds by the gateway's clock.
             */
            received_at: number;
            /**
             * Format: int64
             * @description Position in the gateway's chain of receipts, from 1; the entries of one chart have gaps.
             */
            sequence: number;
            signature: components["schemas"]["HexBytes"];
        };
        /** @description Body of `POST .../reads`. */
        ReadRequest: {
            receipt: components["schemas"]["Receipt"];
            /**
             * @description By the reader over [`Receipt::signing_hash`]: 65 bytes r || s || v, s in the lower half (EIP-2), v 27 or 28; or, of an account that is
             *     a contract, what its `isValidSignature` takes at the block of the decision (EIP-1271, EIP-6492). At most 4,096 bytes.
             */
            signature: components["schemas"]["HexBytes"];
        };
        /** @description `GET /v1/charts/{chart}/reads`, by sequence. */
        Reads: {
            /** @description Pass as `after` for the next page; absent on the last. */
            next?: string | null;
            reads: components["schemas"]["ReadEntry"][];
        };
        /** @description Packages that are not to be sold, dispensed or used. */
        Recall: {
            /**
             * Format: int64
             * @description UNIX seconds.
             */
            at: number;
            batch: components["schemas"]["Hex32"];
            /** @description `terms::recall`, by name. */
            class: string;
            /**
             * Format: int32
             * @description From this package on, below the other.
             */
            from: number;
            /** @description 14 digits. */
            gtin: string;
            issued_by: components["schemas"]["Hex20"];
            maker: components["schemas"]["Hex20"];
            /**
             * Format: int32
             * @description Of the batch's recalls, from 0.
             */
            number: number;
            reason: string;
            /** Format: int32 */
            to: number;
        };
        /** @description `GET /v1/supply/recalls`, in the order in which they were issued: who reads on from the last one misses none. */
        Recalls: {
            /** @description Pass as `after` for the next page, also later: where the recalls end now. Absent: there are none after `after`. */
            next?: string | null;
            recalls: components["schemas"]["Recall"][];
        };
        /** @description `ReadReceipt` of `medlock_abi::signed`, as JSON. */
        Receipt: {
            chart: components["schemas"]["Hex32"];
            /** @description The account of the gateway that is asked; it refuses another's. */
            gateway: components["schemas"]["Hex20"];
            /** @description Random. */
            nonce: components["schemas"]["Hex32"];
            /** @description The organisation that the reader acts for, as its member; zero: for themselves. */
            organisation: components["schemas"]["Hex20"];
            /** @description The envelope's digest, as the reader learned it from the chain or from the later version's envelope. */
            pointer: components["schemas"]["Hex32"];
            purpose: components["schemas"]["Purpose"];
            /**
             * Format: int64
             * @description UNIX seconds by the reader's clock.
             */
            read_at: number;
            reader: components["schemas"]["Hex20"];
            record_id: components["schemas"]["Hex32"];
            /** Format: int32 */
            version: number;
        };
        /**
         * @description `GET /v1/charts/{chart}/records`: the latest version of each record in the compartments that the caller
         *     may read at present for at least one purpose, oldest record first.
         */
        Records: {
            /** @description Pass as `after` for the next page; absent on the last. */
            next?: string | null;
            records: components["schemas"]["Version"][];
        };
        /** @description `POST /v1/relay/operations`: submit this, and pay for it. */
        RelayRequest: {
            /** @description Calldata of a method of `IRelay` that takes an operation and its signature. */
            call: components["schemas"]["HexBytes"];
            /**
             * Format: int64
             * @description What it was signed for: another chain's or contract's is told apart from a bad signature.
             */
            chain_id: number;
            relay: components["schemas"]["Hex20"];
        };
        /**
         * @description Where an operation stands at a gateway.
         * @enum {string}
         */
        RelayState: "queued" | "submitted" | "mined" | "failed" | "expired" | "cancelled";
        /** @description A signed operation at a gateway: the answer to its submission, and `GET /v1/relay/operations/{id}`. */
        RelayedOperation: {
            /**
             * Format: int64
             * @description UNIX seconds.
             */
            accepted_at: number;
            /**
             * Format: int64
             * @description Where that was mined.
             */
            block?: number | null;
            block_hash?: components["schemas"]["Hex32"] | null;
            /**
             * Format: int64
             * @description UNIX seconds; later than any time that fits here: 9223372036854775807.
             */
            deadline: number;
            /** @description The contract's error by its name in the ABI; `unknown`: it is none of ours. */
            fault?: string | null;
            /**
             * Format: int64
             * @description What counts against the quota.
             */
            gas_limit: number;
            /** Format: int64 */
            gas_used?: number | null;
            /** @description The operation's EIP-712 digest. */
            id: components["schemas"]["Hex32"];
            /** @description The method of `IRelay`. */
            method: string;
            revert?: components["schemas"]["HexBytes"] | null;
            signer: components["schemas"]["Hex20"];
            state: components["schemas"]["RelayState"];
            tx?: components["schemas"]["Hex32"] | null;
        };
        /** @description `GET /v1/relay/operations`: those that the caller has submitted or signed, oldest first. */
        RelayedOperations: {
            /** @description Pass as `after` for the next page; absent on the last. */
            next?: string | null;
            operations: components["schemas"]["RelayedOperation"][];
        };
        /**
         * @description What is left of something in a gateway's stores.
         * @enum {string}
         */
        Remains: "gone" | "present" | "unknown" | "foreign";
        /**
         * @description The roles of a credential, as a list of names in bit order. The field is the bit mask.
         * @example [
         *       "organisation",
         *       "provider"
         *     ]
         */
        Roles: string[];
        Session: {
            account: components["schemas"]["Hex20"];
            /**
             * Format: int64
             * @description UNIX seconds.
             */
            expires_at: number;
            /** @description For `Authorization: Bearer`. A secret: whoever holds it acts for the account until it expires. */
            token: string;
        };
        /** @description `POST /v1/sessions`. */
        SessionRequest: {
            /** @description The challenge's message, unchanged. */
            message: string;
            /**
             * @description Over the EIP-191 digest of the message: 65 bytes r || s || v (s in the lower half, v 27 or 28), or, of an account that is a
             *     contract, what its `isValidSignature` takes (EIP-1271), wrapped as EIP-6492 has it where it is not deployed yet. At most 4,096 bytes.
             */
            signature: components["schemas"]["HexBytes"];
        };
        /** @description Units that were offered to one account. */
        Shipment: {
            /**
             * Format: int64
             * @description UNIX seconds; absent: it is open.
             */
            closed_at?: number | null;
            document?: components["schemas"]["Hex32"] | null;
            /** @description `sale` or `return`. */
            kind: string;
            /**
             * Format: int64
             * @description UNIX seconds.
             */
            offered_at: number;
            receiver: components["schemas"]["Hex20"];
            sender: components["schemas"]["Hex20"];
            shipment: string;
            /** @description `open`, `accepted`, `refused` or `withdrawn`. */
            state: string;
            units: components["schemas"]["ShippedUnit"][];
        };
        /** @description `GET /v1/supply/shipments`, in the order in which they were offered. */
        Shipments: {
            /** @description Pass as `after` for the next page; absent on the last. */
            next?: string | null;
            shipments: components["schemas"]["Shipment"][];
        };
        /** @description A unit, by the number of its first package. */
        ShippedUnit: {
            batch: components["schemas"]["Hex32"];
            /** Format: int32 */
            unit: number;
        };
        /** @description `GET /v1/status`. */
        Status: {
            /**
             * Format: int64
             * @description The chain's head.
             */
            chain_block: number;
            /**
             * Format: int64
             * @description The last block that the index holds.
             */
            index_block: number;
            /** Format: int64 */
            lag_blocks: number;
        };
        TokenPayment: {
            token: components["schemas"]["Hex20"];
            /** @description In the token's own units, decimal. */
            value: string;
        };
        /** @description A trial as it stands. */
        Trial: {
            /** Format: int32 */
            batches: number;
            /** Format: int32 */
            consent_version: number;
            /**
             * Format: int32
             * @description How many; nobody by name.
             */
            enrolled: number;
            lock?: components["schemas"]["TrialLock"] | null;
            /**
             * Format: int64
             * @description UNIX seconds.
             */
            registered_at: number;
            /** @description keccak256 of its public registration number. */
            registration: components["schemas"]["Hex32"];
            /** Format: int32 */
            results: number;
            sponsor: components["schemas"]["Hex20"];
            /** @description `terms::trial`, by name. */
            state: string;
            trial: components["schemas"]["Hex32"];
            /**
             * Format: int32
             * @description The newest, and the least that participants must have consented to.
             */
            version: number;
            /**
             * Format: int32
             * @description Of the enrolled.
             */
            withdrawn: number;
        };
        /** @description Data of a site. */
        TrialBatch: {
            /**
             * Format: int64
             * @description UNIX seconds.
             */
            anchored_at: number;
            /** Format: int32 */
            count: number;
            /**
             * Format: int32
             * @description `terms::batch`: late, out of order.
             */
            flags: number;
            /**
             * Format: int64
             * @description UNIX seconds: the period.
             */
            from: number;
            /** @description Bit n of word w: number 256 w + n of the site. */
            participants: components["schemas"]["HexNumber"][];
            root: components["schemas"]["Hex32"];
            /**
             * Format: int32
             * @description The site's own number of it, from 1.
             */
            sequence: number;
            site: components["schemas"]["Hex20"];
            /** Format: int64 */
            to: number;
            /**
             * Format: int32
             * @description The trial's at that time.
             */
            version: number;
        };
        /** @description `GET /v1/trials/{trial}/batches`, in the order in which they were anchored. */
        TrialBatches: {
            batches: components["schemas"]["TrialBatch"][];
            /** @description Pass as `after` for the next page; absent on the last. */
            next?: string | null;
        };
        /** @description `GET /v1/trials/{trial}`. */
        TrialHistory: {
            /** @description From number 0. */
            results: components["schemas"]["TrialResults"][];
            trial: components["schemas"]["Trial"];
            /** @description From version 1. */
            versions: components["schemas"]["TrialVersion"][];
        };
        /** @description From when on a trial's data are what they are. */
        TrialLock: {
            /**
             * Format: int64
             * @description UNIX seconds.
             */
            at: number;
            /** Format: int32 */
            batches: number;
            data: components["schemas"]["Hex32"];
        };
        TrialResults: {
            /**
             * Format: int64
             * @description UNIX seconds.
             */
            at: number;
            data: components["schemas"]["Hex32"];
            /** Format: int32 */
            number: number;
            plan: components["schemas"]["Hex32"];
            results: components["schemas"]["Hex32"];
            /**
             * Format: int32
             * @description The trial's, by whose plan they were made.
             */
            version: number;
        };
        TrialSite: {
            active: boolean;
            /** Format: int32 */
            enrolled: number;
            /**
             * Format: int32
             * @description The highest sequence number of its batches; 0: it has none.
             */
            last_sequence: number;
            site: components["schemas"]["Hex20"];
            /**
             * Format: int32
             * @description Of the enrolled.
             */
            withdrawn: number;
        };
        /** @description `GET /v1/trials/{trial}/sites`: all that were ever named. */
        TrialSites: {
            /** @description Pass as `after` for the next page; absent on the last. */
            next?: string | null;
            sites: components["schemas"]["TrialSite"][];
        };
        /** @description What was planned. */
        TrialVersion: {
            /**
             * Format: int64
             * @description UNIX seconds.
             */
            at: number;
            /**
             * Format: int32
             * @description How many were enrolled before.
             */
            enrolled_before: number;
            /** @description The consent form. */
            form: components["schemas"]["Hex32"];
            plan: components["schemas"]["Hex32"];
            protocol: components["schemas"]["Hex32"];
            /**
             * Format: int32
             * @description `terms::amendment`; 0: of the first.
             */
            reason_code: number;
            /** @description Who has not consented to this one or a later one takes no part. */
            reconsent: boolean;
            /** Format: int32 */
            version: number;
        };
        /** @description `GET /v1/trials`, in the order in which they were registered. */
        Trials: {
            /** @description Pass as `after` for the next page; absent on the last. */
            next?: string | null;
            trials: components["schemas"]["Trial"][];
        };
        /** @description A run of a batch's packages that one party holds. */
        Unit: {
            batch: components["schemas"]["Hex32"];
            /** @description Why it left the supply, by name. */
            decommissioned?: string | null;
            /** @description The open shipment that it is in. */
            shipment?: string | null;
            /**
             * Format: int32
             * @description The package after its last.
             */
            to: number;
            /**
             * Format: int32
             * @description Its first package.
             */
            unit: number;
        };
        /** @description `GET /v1/supply/units`: what the caller holds. */
        Units: {
            /** @description Pass as `after` for the next page; absent on the last. */
            next?: string | null;
            units: components["schemas"]["Unit"][];
        };
        /** @description `POST /v1/blocks`: what was stored. The blocks are on disk when this is sent. */
        Uploaded: {
            /** Format: int64 */
            blocks: number;
            /**
             * Format: int64
             * @description Sum of the blocks' own lengths.
             */
            bytes: number;
        };
        /** @description An answer without any data: `Verdict` of `medlock_abi::signed`. */
        Verdict: {
            action: components["schemas"]["Action"];
            allowed: boolean;
            /**
             * Format: int64
             * @description The time asked about, UNIX seconds.
             */
            at: number;
            block_hash: components["schemas"]["Hex32"];
            /**
             * Format: int64
             * @description The block whose state was consulted.
             */
            block_number: number;
            chart: components["schemas"]["Hex32"];
            /** Format: int32 */
            compartment: number;
            grantee: components["schemas"]["Hex20"];
            purpose: components["schemas"]["Purpose"];
            /** @description Stable text. What does not exist and what is not granted read the same. */
            reason: string;
            /**
             * Format: int32
             * @description The code of `reason` (`medlock_abi::terms::reason`); this is what is signed.
             */
            reason_code: number;
            /** @description Zero where the question named no record. */
            record_id: components["schemas"]["Hex32"];
        };
        /** @description One version of a record, as the chain has it. */
        Version: {
            author: components["schemas"]["Hex20"];
            /** Format: int64 */
            block: number;
            /** Format: int32 */
            compartment: number;
            /**
             * Format: int64
             * @description UNIX seconds of the block; of a record taken from a batch, of the batch's.
             */
            created_at: number;
            /** @description sha2-256 digest of the envelope's CID (dag-cbor). */
            pointer: components["schemas"]["Hex32"];
            record_id: components["schemas"]["Hex32"];
            /** @description Of the record as it stands: `current`, `entered-in-error` or `shredded`. */
            status: string;
            tx: components["schemas"]["Hex32"];
            /**
             * Format: int32
             * @description From 1.
             */
            version: number;
        };
        /** @description `GET /v1/charts/{chart}/records/{id}/versions`, oldest first. */
        Versions: {
            /** @description Pass as `after` for the next page; absent on the last. */
            next?: string | null;
            versions: components["schemas"]["Version"][];
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    fhir_metadata: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/fhir+json": Record<string, never>;
                };
            };
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/fhir+json": Record<string, never>;
                };
            };
            "5XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/fhir+json": Record<string, never>;
                };
            };
        };
    };
    fhir_search: {
        parameters: {
            query?: never;
            header?: {
                "medlock-organisation"?: components["schemas"]["Hex20"] | null;
            };
            path: {
                /** @description AuditEvent, Consent, DocumentReference, Provenance */
                type: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/fhir+json": Record<string, never>;
                };
            };
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/fhir+json": Record<string, never>;
                };
            };
            "5XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/fhir+json": Record<string, never>;
                };
            };
        };
    };
    fhir_create: {
        parameters: {
            query?: never;
            header?: {
                "idempotency-key"?: string | null;
            };
            path: {
                /** @description Consent */
                type: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/fhir+json": Record<string, never>;
            };
        };
        responses: {
            /** @description On chain */
            201: {
                headers: {
                    location?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/fhir+json": Record<string, never>;
                };
            };
            /** @description Submitted: `content-location` says where to ask */
            202: {
                headers: {
                    "content-location"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/fhir+json": Record<string, never>;
                };
            };
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/fhir+json": Record<string, never>;
                };
            };
            "5XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/fhir+json": Record<string, never>;
                };
            };
        };
    };
    fhir_search_by_form: {
        parameters: {
            query?: never;
            header?: {
                "medlock-organisation"?: components["schemas"]["Hex20"] | null;
            };
            path: {
                /** @description AuditEvent, Consent, DocumentReference, Provenance */
                type: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/x-www-form-urlencoded": string;
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/fhir+json": Record<string, never>;
                };
            };
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/fhir+json": Record<string, never>;
                };
            };
            "5XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/fhir+json": Record<string, never>;
                };
            };
        };
    };
    fhir_read: {
        parameters: {
            query?: never;
            header?: {
                "medlock-organisation"?: components["schemas"]["Hex20"] | null;
            };
            path: {
                /** @description AuditEvent, Consent, DocumentReference, Patient, Provenance */
                type: string;
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/fhir+json": Record<string, never>;
                };
            };
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/fhir+json": Record<string, never>;
                };
            };
            "5XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/fhir+json": Record<string, never>;
                };
            };
        };
    };
    health: {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag of an answer that the caller has */
                "If-None-Match"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Health"];
                };
            };
            /** @description The caller has this answer */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    ready: {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag of an answer that the caller has */
                "If-None-Match"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Health"];
                };
            };
            /** @description The caller has this answer */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            "5XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    upload: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/vnd.ipld.car": components["schemas"]["Binary"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Uploaded"];
                };
            };
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            "5XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    missing: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["BlocksAsked"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BlocksMissing"];
                };
            };
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            "5XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    charts: {
        parameters: {
            query?: {
                after?: string;
                limit?: number;
            };
            header?: {
                /** @description The ETag of an answer that the caller has */
                "If-None-Match"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Charts"];
                };
            };
            /** @description The caller has this answer */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            "5XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    chart: {
        parameters: {
            query?: never;
            header?: {
                "medlock-organisation"?: components["schemas"]["Hex20"] | null;
                /** @description The ETag of an answer that the caller has */
                "If-None-Match"?: string;
            };
            path: {
                chart: components["schemas"]["Hex32"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Chart"];
                };
            };
            /** @description The caller has this answer */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            "5XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    directory: {
        parameters: {
            query?: never;
            header?: {
                "medlock-organisation"?: components["schemas"]["Hex20"] | null;
            };
            path: {
                chart: components["schemas"]["Hex32"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.ipld.dag-cbor": components["schemas"]["Binary"];
                };
            };
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            "5XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    emergencies: {
        parameters: {
            query?: {
                after?: string;
                limit?: number;
            };
            header?: {
                /** @description The ETag of an answer that the caller has */
                "If-None-Match"?: string;
            };
            path: {
                chart: components["schemas"]["Hex32"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Emergencies"];
                };
            };
            /** @description The caller has this answer */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            "5XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    emergency_kit: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                chart: components["schemas"]["Hex32"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.ipld.dag-cbor": components["schemas"]["Binary"];
                };
            };
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            "5XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    put_emergency_kit: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                chart: components["schemas"]["Hex32"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/vnd.ipld.dag-cbor": components["schemas"]["Binary"];
            };
        };
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            "5XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    delete_emergency_kit: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                chart: components["schemas"]["Hex32"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            "5XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    emergency_shares: {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag of an answer that the caller has */
                "If-None-Match"?: string;
            };
            path: {
                chart: components["schemas"]["Hex32"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EmergencyShares"];
                };
            };
            /** @description The caller has this answer */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            "5XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    release_emergency_share: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                chart: components["schemas"]["Hex32"];
                party: components["schemas"]["Hex20"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/vnd.ipld.dag-cbor": components["schemas"]["Binary"];
            };
        };
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            "5XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    grants: {
        parameters: {
            query?: {
                after?: string;
                limit?: number;
            };
            header?: {
                "medlock-organisation"?: components["schemas"]["Hex20"] | null;
                /** @description The ETag of an answer that the caller has */
                "If-None-Match"?: string;
            };
            path: {
                chart: components["schemas"]["Hex32"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Grants"];
                };
            };
            /** @description The caller has this answer */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            "5XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    keyring: {
        parameters: {
            query?: never;
            header?: {
                "medlock-organisation"?: components["schemas"]["Hex20"] | null;
            };
            path: {
                chart: components["schemas"]["Hex32"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.ipld.dag-cbor": components["schemas"]["Binary"];
                };
            };
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            "5XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    reads: {
        parameters: {
            query?: {
                after?: string;
                limit?: number;
            };
            header?: {
                /** @description The ETag of an answer that the caller has */
                "If-None-Match"?: string;
            };
            path: {
                chart: components["schemas"]["Hex32"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Reads"];
                };
            };
            /** @description The caller has this answer */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            "5XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    records: {
        parameters: {
            query?: {
                compartment?: number;
                after?: string;
                limit?: number;
            };
            header?: {
                "medlock-organisation"?: components["schemas"]["Hex20"] | null;
                /** @description The ETag of an answer that the caller has */
                "If-None-Match"?: string;
            };
            path: {
                chart: components["schemas"]["Hex32"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Records"];
                };
            };
            /** @description The caller has this answer */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            "5XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    erasure: {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag of an answer that the caller has */
                "If-None-Match"?: string;
            };
            path: {
                chart: components["schemas"]["Hex32"];
                record: components["schemas"]["Hex32"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Erasure"];
                };
            };
            /** @description The caller has this answer */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            "5XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    erase: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                chart: components["schemas"]["Hex32"];
                record: components["schemas"]["Hex32"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Erasure"];
                };
            };
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            "5XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    versions: {
        parameters: {
            query?: {
                after?: string;
                limit?: number;
            };
            header?: {
                "medlock-organisation"?: components["schemas"]["Hex20"] | null;
                /** @description The ETag of an answer that the caller has */
                "If-None-Match"?: string;
            };
            path: {
                chart: components["schemas"]["Hex32"];
                record: components["schemas"]["Hex32"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Versions"];
                };
            };
            /** @description The caller has this answer */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            "5XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    payload: {
        parameters: {
            query?: {
                "entity-bytes"?: string;
            };
            header?: {
                "medlock-organisation"?: components["schemas"]["Hex20"] | null;
            };
            path: {
                chart: components["schemas"]["Hex32"];
                record: components["schemas"]["Hex32"];
                version: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.ipld.car": components["schemas"]["Binary"];
                };
            };
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            "5XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    read: {
        parameters: {
            query?: never;
            header?: {
                "medlock-organisation"?: components["schemas"]["Hex20"] | null;
            };
            path: {
                chart: components["schemas"]["Hex32"];
                record: components["schemas"]["Hex32"];
                version: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ReadRequest"];
            };
        };
        responses: {
            200: {
                headers: {
                    /** @description The block at whose state the read was allowed */
                    "medlock-block"?: number;
                    "medlock-block-hash"?: components["schemas"]["Hex32"];
                    /** @description Basis of access */
                    "medlock-reason"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.ipld.dag-cbor": components["schemas"]["Binary"];
                };
            };
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            "5XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    claims: {
        parameters: {
            query?: {
                as?: "provider" | "insurer";
                chart?: components["schemas"]["Hex32"];
                state?: components["schemas"]["ClaimState"];
                after?: string;
                limit?: number;
            };
            header?: {
                "medlock-organisation"?: components["schemas"]["Hex20"] | null;
                /** @description The ETag of an answer that the caller has */
                "If-None-Match"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Claims"];
                };
            };
            /** @description The caller has this answer */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            "5XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    facts: {
        parameters: {
            query?: {
                as?: "provider" | "insurer";
                chart?: components["schemas"]["Hex32"];
                since?: number;
                after?: string;
                limit?: number;
            };
            header?: {
                "medlock-organisation"?: components["schemas"]["Hex20"] | null;
                /** @description The ETag of an answer that the caller has */
                "If-None-Match"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ClaimsFacts"];
                };
            };
            /** @description The caller has this answer */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            "5XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    claim: {
        parameters: {
            query?: never;
            header?: {
                "medlock-organisation"?: components["schemas"]["Hex20"] | null;
                /** @description The ETag of an answer that the caller has */
                "If-None-Match"?: string;
            };
            path: {
                claim: components["schemas"]["Hex32"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ClaimHistory"];
                };
            };
            /** @description The caller has this answer */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            "5XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    document: {
        parameters: {
            query?: never;
            header?: {
                "medlock-organisation"?: components["schemas"]["Hex20"] | null;
            };
            path: {
                claim: components["schemas"]["Hex32"];
                document: components["schemas"]["Hex32"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.ipld.dag-cbor": components["schemas"]["Binary"];
                };
            };
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            "5XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    custody: {
        parameters: {
            query?: {
                after?: string;
                limit?: number;
            };
            header?: {
                /** @description The ETag of an answer that the caller has */
                "If-None-Match"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Custody"];
                };
            };
            /** @description The caller has this answer */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            "5XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    decide: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["DecisionRequest"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DecisionReply"];
                };
            };
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            "5XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    deployment: {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag of an answer that the caller has */
                "If-None-Match"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Deployment"];
                };
            };
            /** @description The caller has this answer */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            "5XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    my_grants: {
        parameters: {
            query?: {
                after?: string;
                limit?: number;
            };
            header?: {
                "medlock-organisation"?: components["schemas"]["Hex20"] | null;
                /** @description The ETag of an answer that the caller has */
                "If-None-Match"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Grants"];
                };
            };
            /** @description The caller has this answer */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            "5XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    insurer: {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag of an answer that the caller has */
                "If-None-Match"?: string;
            };
            path: {
                account: components["schemas"]["Hex20"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Insurer"];
                };
            };
            /** @description The caller has this answer */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            "5XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    memberships: {
        parameters: {
            query?: {
                after?: string;
                limit?: number;
            };
            header?: {
                /** @description The ETag of an answer that the caller has */
                "If-None-Match"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Memberships"];
                };
            };
            /** @description The caller has this answer */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            "5XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    membership: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The organisation */
                account: components["schemas"]["Hex20"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.ipld.dag-cbor": components["schemas"]["Binary"];
                };
            };
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            "5XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    keep_membership: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The member */
                account: components["schemas"]["Hex20"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/vnd.ipld.dag-cbor": components["schemas"]["Binary"];
            };
        };
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            "5XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    remove_membership: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Who was a member */
                account: components["schemas"]["Hex20"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            "5XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    party: {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag of an answer that the caller has */
                "If-None-Match"?: string;
            };
            path: {
                account: components["schemas"]["Hex20"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Party"];
                };
            };
            /** @description The caller has this answer */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            "5XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    all: {
        parameters: {
            query?: {
                after?: string;
                limit?: number;
            };
            header?: {
                /** @description The ETag of an answer that the caller has */
                "If-None-Match"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RelayedOperations"];
                };
            };
            /** @description The caller has this answer */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            "5XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    submit: {
        parameters: {
            query?: never;
            header?: {
                /** @description The caller's own name for this submission, for a day: another operation under it is refused */
                "idempotency-key"?: string | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RelayRequest"];
            };
        };
        responses: {
            /** @description Taken on before */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RelayedOperation"];
                };
            };
            /** @description Taken on */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RelayedOperation"];
                };
            };
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            "5XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    one: {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag of an answer that the caller has */
                "If-None-Match"?: string;
            };
            path: {
                id: components["schemas"]["Hex32"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RelayedOperation"];
                };
            };
            /** @description The caller has this answer */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            "5XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    open: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SessionRequest"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Session"];
                };
            };
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            "5XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    close: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    close_all: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    challenge: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ChallengeRequest"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Challenge"];
                };
            };
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            "5XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    status: {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag of an answer that the caller has */
                "If-None-Match"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Status"];
                };
            };
            /** @description The caller has this answer */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            "5XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    chain_of_custody: {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag of an answer that the caller has */
                "If-None-Match"?: string;
            };
            path: {
                batch: components["schemas"]["Hex32"];
                package: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChainOfCustody"];
                };
            };
            /** @description The caller has this answer */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            "5XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    recalls: {
        parameters: {
            query?: {
                after?: string;
                limit?: number;
            };
            header?: {
                /** @description The ETag of an answer that the caller has */
                "If-None-Match"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Recalls"];
                };
            };
            /** @description The caller has this answer */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            "5XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    shipments: {
        parameters: {
            query: {
                as: "sender" | "receiver";
                open?: boolean;
                after?: string;
                limit?: number;
            };
            header?: {
                "medlock-organisation"?: components["schemas"]["Hex20"] | null;
                /** @description The ETag of an answer that the caller has */
                "If-None-Match"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Shipments"];
                };
            };
            /** @description The caller has this answer */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            "5XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    units: {
        parameters: {
            query?: {
                after?: string;
                limit?: number;
            };
            header?: {
                "medlock-organisation"?: components["schemas"]["Hex20"] | null;
                /** @description The ETag of an answer that the caller has */
                "If-None-Match"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Units"];
                };
            };
            /** @description The caller has this answer */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            "5XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    trials: {
        parameters: {
            query?: {
                after?: string;
                limit?: number;
            };
            header?: {
                /** @description The ETag of an answer that the caller has */
                "If-None-Match"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Trials"];
                };
            };
            /** @description The caller has this answer */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            "5XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    trial: {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag of an answer that the caller has */
                "If-None-Match"?: string;
            };
            path: {
                trial: components["schemas"]["Hex32"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TrialHistory"];
                };
            };
            /** @description The caller has this answer */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            "5XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    batches: {
        parameters: {
            query?: {
                after?: string;
                limit?: number;
            };
            header?: {
                /** @description The ETag of an answer that the caller has */
                "If-None-Match"?: string;
            };
            path: {
                trial: components["schemas"]["Hex32"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TrialBatches"];
                };
            };
            /** @description The caller has this answer */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            "5XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    sites: {
        parameters: {
            query?: {
                after?: string;
                limit?: number;
            };
            header?: {
                /** @description The ETag of an answer that the caller has */
                "If-None-Match"?: string;
            };
            path: {
                trial: components["schemas"]["Hex32"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TrialSites"];
                };
            };
            /** @description The caller has this answer */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            "5XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
}
