-- A smart account's signature is as long as its code wants it (EIP-1271), up to a bound.
ALTER TABLE receipt DROP CONSTRAINT receipt_signature_check,
    ADD CONSTRAINT receipt_signature_check CHECK (length(signature) <= 4096);
