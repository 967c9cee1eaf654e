//! OpenAPI schemas of what serde writes as a hex string or as a name. Only their derives are used, never a value:
//! hence the fields that nobody reads.
use utoipa::{
    ToSchema,
    openapi::{Object, ObjectBuilder, Type},
};

use crate::Kind;

/// 32 bytes: an id, a digest or a hash.
#[derive(ToSchema)]
#[schema(value_type = String, pattern = "^0x[0-9a-fA-F]{64}$", example = "0x5c62e0910d6cf9bba0c4e2a0b4a5ee3c0b5f1a0cf4a7dc1ba2f0a0b5e1b9d0aa")]
pub struct Hex32(#[allow(dead_code)] String);

/// 20 bytes: an account or a contract.
#[derive(ToSchema)]
#[schema(value_type = String, pattern = "^0x[0-9a-fA-F]{40}$", example = "0x00000000000000000000000000000000000000a1")]
pub struct Hex20(#[allow(dead_code)] String);

/// Any number of bytes.
#[derive(ToSchema)]
#[schema(value_type = String, pattern = "^0x([0-9a-fA-F]{2})*$", example = "0x00")]
pub struct HexBytes(#[allow(dead_code)] String);

/// A number of up to 256 bits.
#[derive(ToSchema)]
#[schema(value_type = String, pattern = "^0x[0-9a-fA-F]{1,64}$", example = "0x1f")]
pub struct HexNumber(#[allow(dead_code)] String);

/// A body of bytes.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
pub struct Binary(#[allow(dead_code)] String);

/// The `type` of a problem: every one that this version answers with.
pub fn problem_type() -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(
            "Stable, for programs: `urn:medlock:problem:<slug>`. A later gateway may know more of them.",
        ))
        .enum_values(Some(Kind::ALL.map(Kind::urn)))
        .build()
}
