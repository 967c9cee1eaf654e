//! GF(256) and Shamir's scheme as a textbook has them, slowly: a second opinion on the library's.

/// Product of two polynomials over GF(2), then the remainder by x^8 + x^4 + x^3 + x + 1 (FIPS 197 section 4.2).
pub fn multiply(a: u8, b: u8) -> u8 {
    let mut product: u16 = 0;
    for bit in 0..8 {
        if b & (1 << bit) != 0 {
            product ^= u16::from(a) << bit;
        }
    }
    for bit in (8..15).rev() {
        if product & (1 << bit) != 0 {
            product ^= 0x11b << (bit - 8);
        }
    }
    product as u8
}

/// By trying them all.
pub fn inverse(a: u8) -> u8 {
    (1..=255).find(|b| multiply(a, *b) == 1).unwrap()
}

/// The value at `x` of the polynomial of least degree through `points`, byte by byte (Lagrange).
pub fn at(x: u8, points: &[(u8, [u8; 32])]) -> [u8; 32] {
    let mut out = [0; 32];
    for (one, value) in points {
        let mut weight = 1;
        for (other, _) in points.iter().filter(|(other, _)| other != one) {
            weight = multiply(weight, multiply(x ^ other, inverse(one ^ other)));
        }
        for (byte, value) in out.iter_mut().zip(value) {
            *byte ^= multiply(weight, *value);
        }
    }
    out
}

#[test]
fn agrees_with_fips_197() {
    assert_eq!(multiply(0x57, 0x83), 0xc1);
    assert_eq!(multiply(0x57, 0x13), 0xfe);
    assert_eq!(inverse(0x53), 0xca);
    // x^3 + 7x + 5 at 0, 1, 2, 3 gives back its value at 9.
    let value = |x: u8| [multiply(x, multiply(x, x)) ^ multiply(7, x) ^ 5; 32];
    let points: Vec<_> = (0..4).map(|x| (x, value(x))).collect();
    assert_eq!(at(9, &points), value(9));
}
