//! The elementary functions of the models: the same bits on every machine, and short enough to be inlined.
//!
//! The standard library's differ between platforms. These are the algorithms of Sun's fdlibm as musl and the `libm`
//! crate have them, equal to the latter bit for bit (a test compares them). Every operation is one that IEEE 754
//! rounds exactly; the order of operations is part of the result and must not be changed.
//!
//! The polynomials and reductions are from FreeBSD's `e_log.c` and `e_exp.c`:
//!
//! > Copyright (C) 1993, 2004 by Sun Microsystems, Inc. All rights reserved. Permission to use, copy, modify, and
//! > distribute this software is freely granted, provided that this notice is preserved.

/// The natural logarithm of 2 in two parts: whole multiples of the first, up to 2000, are exact.
const LN2_HIGH: f64 = f64::from_bits(0x3fe6_2e42_fee0_0000);
const LN2_LOW: f64 = f64::from_bits(0x3dea_39ef_3579_3c76);

/// The natural logarithm; less than 1 ulp from the true one. Minus infinity at zero, NaN below.
#[inline]
pub fn ln(x: f64) -> f64 {
    const SMALLEST_NORMAL: u64 = 0x0010_0000_0000_0000;
    const INFINITY: u64 = 0x7ff0_0000_0000_0000;
    let bits = x.to_bits();
    if bits.wrapping_sub(SMALLEST_NORMAL) >= INFINITY - SMALLEST_NORMAL {
        return ln_of_the_unusual(x);
    }
    ln_scaled(bits, 0)
}

/// The logarithm of zero, negative numbers, infinity, NaN and subnormal numbers.
#[cold]
fn ln_of_the_unusual(x: f64) -> f64 {
    const TWO_TO_THE_54: f64 = 18_014_398_509_481_984.0;
    if x == 0.0 {
        f64::NEG_INFINITY
    } else if x < 0.0 {
        f64::NAN
    } else if x.is_subnormal() {
        ln_scaled((x * TWO_TO_THE_54).to_bits(), -54)
    } else {
        x
    }
}

/// The logarithm of the normal number with these bits, times 2 to the `exponent`.
#[inline(always)]
fn ln_scaled(bits: u64, exponent: i32) -> f64 {
    /// Bits of 1 and of the square root of a half, cut after the upper word.
    const ONE: u64 = 0x3ff0_0000_0000_0000;
    const ROOT_HALF: u64 = 0x3fe6_a09e_0000_0000;
    const MANTISSA: u64 = 0x000f_ffff_ffff_ffff;
    // x = 2^k (1 + f), with 1 + f between the square roots of a half and of 2.
    let moved = bits + (ONE - ROOT_HALF);
    let k = f64::from((moved >> 52) as i32 - 1023 + exponent);
    let f = f64::from_bits((moved & MANTISSA) + ROOT_HALF) - 1.0;
    // ln(1 + f) = f - f²/2 + s (f²/2 + R(s²)) with s = f / (2 + f); the error of R is below 2^-58.45.
    let half_square = 0.5 * f * f;
    let s = f / (2.0 + f);
    let z = s * s;
    let w = z * z;
    let even = w * (LN_2 + w * (LN_4 + w * LN_6));
    let odd = z * (LN_1 + w * (LN_3 + w * (LN_5 + w * LN_7)));
    let r = odd + even;
    s * (half_square + r) + k * LN2_LOW - half_square + f + k * LN2_HIGH
}

const LN_1: f64 = f64::from_bits(0x3fe5_5555_5555_5593);
const LN_2: f64 = f64::from_bits(0x3fd9_9999_9997_fa04);
const LN_3: f64 = f64::from_bits(0x3fd2_4924_9422_9359);
const LN_4: f64 = f64::from_bits(0x3fcc_71c5_1d8e_78af);
const LN_5: f64 = f64::from_bits(0x3fc7_4664_96cb_03de);
const LN_6: f64 = f64::from_bits(0x3fc3_9a09_d078_c69f);
const LN_7: f64 = f64::from_bits(0x3fc2_f112_df3e_5244);

/// e to the x; less than 1 ulp from the true value. Infinity above 709.78, zero below -745.13.
#[inline]
pub fn exp(x: f64) -> f64 {
    /// Upper words of |x|.
    const HALF_LN2: u32 = 0x3fd6_2e42;
    const NEAR_OVERFLOW: u32 = 0x4086_232b;
    const TINY: u32 = 0x3e30_0000;
    let size = (x.to_bits() >> 32) as u32 & 0x7fff_ffff;
    if size >= NEAR_OVERFLOW {
        return exp_of_the_large(x);
    }
    if size <= TINY {
        return 1.0 + x;
    }
    let k = if size > HALF_LN2 { nearest_multiple_of_ln2(x) } else { 0 };
    // From 2^-1022 to 2^1022 here: a normal number, and its product with what exp_reduced gives is, too.
    exp_reduced(x, k) * power_of_two(k)
}

#[inline(always)]
fn nearest_multiple_of_ln2(x: f64) -> i32 {
    (std::f64::consts::LOG2_E * x + 0.5f64.copysign(x)) as i32
}

/// 2 to the k, for a k that gives a normal number.
#[inline(always)]
fn power_of_two(k: i32) -> f64 {
    f64::from_bits(((1023 + k) as u64) << 52)
}

/// e to an x at or beyond 708.39 in size, infinity or NaN: the result may be subnormal or out of range.
#[cold]
fn exp_of_the_large(x: f64) -> f64 {
    const MOST: f64 = f64::from_bits(0x4086_2e42_fefa_39ef);
    const LEAST: f64 = f64::from_bits(0xc087_4910_d52d_3051);
    if x.is_nan() {
        return x;
    }
    if x > MOST {
        return f64::INFINITY;
    }
    if x < LEAST {
        return 0.0;
    }
    let k = nearest_multiple_of_ln2(x);
    // In two steps, of which only the last one may round.
    let step = if k > 0 { 1023 } else { -969 };
    exp_reduced(x, k) * power_of_two(step) * power_of_two(k - step)
}

/// e to the (x - k ln 2), for a difference of at most half of ln 2.
#[inline(always)]
fn exp_reduced(x: f64, k: i32) -> f64 {
    let k = f64::from(k);
    let (high, low) = (x - k * LN2_HIGH, k * LN2_LOW);
    let r = high - low;
    // exp(r) = 1 + r + r c / (2 - c); the error of c is below 2^-59.
    let square = r * r;
    let c = r - square * (EXP_1 + square * (EXP_2 + square * (EXP_3 + square * (EXP_4 + square * EXP_5))));
    1.0 + (r * c / (2.0 - c) - low + high)
}

const EXP_1: f64 = f64::from_bits(0x3fc5_5555_5555_553e);
const EXP_2: f64 = f64::from_bits(0xbf66_c16c_16be_bd93);
const EXP_3: f64 = f64::from_bits(0x3f11_566a_af25_de2c);
const EXP_4: f64 = f64::from_bits(0xbebb_bd41_c5d2_6bf1);
const EXP_5: f64 = f64::from_bits(0x3e66_3769_72be_a4d0);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::StreamKey;

    /// Arguments of all kinds: every pattern of bits alike, ordinary sizes, and what is at the borders of cases.
    fn arguments() -> impl Iterator<Item = f64> {
        let key = StreamKey::of_seed(5).child("maths");
        let any = (0..1_500_000).map(move |n| f64::from_bits(key.word(n, 0)));
        let unit = (0..1_500_000).map(move |n| crate::kernel::stream::unit_interval(key.word(n, 1)));
        let ordinary =
            (0..1_500_000).map(move |n| (crate::kernel::stream::unit_interval(key.word(n, 2)) - 0.5) * 1_500.0);
        let subnormal = (0..500_000).map(move |n| f64::from_bits(key.word(n, 3) >> (12 + n % 52)));
        let borders = [
            0.0,
            1.0,
            f64::MIN_POSITIVE,
            f64::MAX,
            f64::INFINITY,
            f64::NAN,
            2f64.sqrt(),
            0.5f64.sqrt(),
            std::f64::consts::LN_2 / 2.0,
            std::f64::consts::LN_2 * 1.5,
            f64::from_bits(0x3fd6_2e42_0000_0000),
            f64::from_bits(0x3ff0_a2b2_0000_0000),
            f64::from_bits(0x3e30_0000_0000_0000),
            f64::from_bits(0x3fe6_a09e_0000_0000),
            f64::from_bits(0x3ff6_a09e_0000_0000),
            f64::from_bits(0x4086_232b_0000_0000),
            709.782_712_893_384,
            708.396_418_532_264_1,
            745.133_219_101_941_1,
        ];
        let beside = borders.into_iter().flat_map(|x| {
            (-2_000..2_000i64).map(move |offset| f64::from_bits(x.to_bits().wrapping_add_signed(offset)))
        });
        any.chain(unit).chain(ordinary).chain(subnormal).chain(beside).flat_map(|x| [x, -x])
    }

    /// Asserts equal bits, of numbers; one NaN is as good as another.
    fn assert_same(name: &str, x: f64, ours: f64, theirs: f64) {
        assert!(
            ours.to_bits() == theirs.to_bits() || (ours.is_nan() && theirs.is_nan()),
            "{name}({x:e}), bits {:#x}: {ours:e} here, {theirs:e} in libm",
            x.to_bits()
        );
    }

    #[test]
    fn logarithms_equal_those_of_libm_bit_for_bit() {
        arguments().for_each(|x| assert_same("ln", x, ln(x), libm::log(x)));
    }

    #[test]
    fn exponentials_equal_those_of_libm_bit_for_bit() {
        arguments().for_each(|x| assert_same("exp", x, exp(x), libm::exp(x)));
    }

    #[test]
    fn values_known_by_theory_are_exact() {
        assert_eq!(ln(1.0).to_bits(), 0.0f64.to_bits());
        assert_eq!(exp(0.0), 1.0);
        assert_eq!(ln(0.0), f64::NEG_INFINITY);
        assert!(ln(-1.0).is_nan());
        assert_eq!((exp(710.0), exp(-746.0)), (f64::INFINITY, 0.0));
    }
}
