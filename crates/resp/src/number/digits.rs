//! The digits of a double, as Redis finds them: by Grisu2 (Florian Loitsch, "Printing floating-point numbers quickly
//! and accurately with integers", 2010).
//!
//! They read back as the same double, and are nearly always the fewest that do; but not always, and where they are
//! more, clients of Redis see them. So they must come from this method and no better one.

/// Powers of ten in steps of [`POWER_STEP`] from 10^[`POWER_FIRST`] on: the 64 highest bits, rounded.
const POWERS: [u64; 87] = [
    0xfa8f_d5a0_081c_0288,
    0xbaae_e17f_a23e_bf76,
    0x8b16_fb20_3055_ac76,
    0xcf42_894a_5dce_35ea,
    0x9a6b_b0aa_5565_3b2d,
    0xe61a_cf03_3d1a_45df,
    0xab70_fe17_c79a_c6ca,
    0xff77_b1fc_bebc_dc4f,
    0xbe56_91ef_416b_d60c,
    0x8dd0_1fad_907f_fc3c,
    0xd351_5c28_3155_9a83,
    0x9d71_ac8f_ada6_c9b5,
    0xea9c_2277_23ee_8bcb,
    0xaecc_4991_4078_536d,
    0x823c_1279_5db6_ce57,
    0xc210_9436_4dfb_5637,
    0x9096_ea6f_3848_984f,
    0xd774_85cb_2582_3ac7,
    0xa086_cfcd_97bf_97f4,
    0xef34_0a98_172a_ace5,
    0xb238_67fb_2a35_b28e,
    0x84c8_d4df_d2c6_3f3b,
    0xc5dd_4427_1ad3_cdba,
    0x936b_9fce_bb25_c996,
    0xdbac_6c24_7d62_a584,
    0xa3ab_6658_0d5f_daf6,
    0xf3e2_f893_dec3_f126,
    0xb5b5_ada8_aaff_80b8,
    0x8762_5f05_6c7c_4a8b,
    0xc9bc_ff60_34c1_3053,
    0x964e_858c_91ba_2655,
    0xdff9_7724_7029_7ebd,
    0xa6df_bd9f_b8e5_b88f,
    0xf8a9_5fcf_8874_7d94,
    0xb944_7093_8fa8_9bcf,
    0x8a08_f0f8_bf0f_156b,
    0xcdb0_2555_6531_31b6,
    0x993f_e2c6_d07b_7fac,
    0xe45c_10c4_2a2b_3b06,
    0xaa24_2499_6973_92d3,
    0xfd87_b5f2_8300_ca0e,
    0xbce5_0864_9211_1aeb,
    0x8cbc_cc09_6f50_88cc,
    0xd1b7_1758_e219_652c,
    0x9c40_0000_0000_0000,
    0xe8d4_a510_0000_0000,
    0xad78_ebc5_ac62_0000,
    0x813f_3978_f894_0984,
    0xc097_ce7b_c907_15b3,
    0x8f7e_32ce_7bea_5c70,
    0xd5d2_38a4_abe9_8068,
    0x9f4f_2726_179a_2245,
    0xed63_a231_d4c4_fb27,
    0xb0de_6538_8cc8_ada8,
    0x83c7_088e_1aab_65db,
    0xc45d_1df9_4271_1d9a,
    0x924d_692c_a61b_e758,
    0xda01_ee64_1a70_8dea,
    0xa26d_a399_9aef_774a,
    0xf209_787b_b47d_6b85,
    0xb454_e4a1_79dd_1877,
    0x865b_8692_5b9b_c5c2,
    0xc835_53c5_c896_5d3d,
    0x952a_b45c_fa97_a0b3,
    0xde46_9fbd_99a0_5fe3,
    0xa59b_c234_db39_8c25,
    0xf6c6_9a72_a398_9f5c,
    0xb7dc_bf53_54e9_bece,
    0x88fc_f317_f222_41e2,
    0xcc20_ce9b_d35c_78a5,
    0x9816_5af3_7b21_53df,
    0xe2a0_b5dc_971f_303a,
    0xa8d9_d153_5ce3_b396,
    0xfb9b_7cd9_a4a7_443c,
    0xbb76_4c4c_a7a4_4410,
    0x8bab_8eef_b640_9c1a,
    0xd01f_ef10_a657_842c,
    0x9b10_a4e5_e991_3129,
    0xe710_9bfb_a19c_0c9d,
    0xac28_20d9_623b_f429,
    0x8044_4b5e_7aa7_cf85,
    0xbf21_e440_03ac_dd2d,
    0x8e67_9c2f_5e44_ff8f,
    0xd433_179d_9c8c_b841,
    0x9e19_db92_b4e3_1ba9,
    0xeb96_bf6e_badf_77d9,
    0xaf87_023b_9bf0_ee6b,
];
const POWER_FIRST: i32 = -348;
const POWER_STEP: i32 = 8;
/// Within these bounds is the exponent of a number that has been scaled: so many of its bits are a fraction, at least
/// 32 are left for the whole part.
const SCALED_EXPONENT_MIN: i32 = -60;
const SCALED_EXPONENT_MAX: i32 = -32;
/// The bit that a double does not store.
const HIDDEN_BIT: u64 = 1 << 52;
const EXPONENT_BIAS: i32 = 1023 + 52;

/// `mantissa` times 2 to the `exponent`.
#[derive(Clone, Copy)]
struct Scaled {
    mantissa: u64,
    exponent: i32,
}

impl Scaled {
    fn normalized(self) -> Scaled {
        let shift = self.mantissa.leading_zeros();
        Scaled { mantissa: self.mantissa << shift, exponent: self.exponent - shift as i32 }
    }

    /// The 64 highest bits of the product, rounded.
    fn times(self, other: Scaled) -> Scaled {
        let product = u128::from(self.mantissa) * u128::from(other.mantissa);
        let mantissa = ((product + (1 << 63)) >> 64) as u64;
        Scaled { mantissa, exponent: self.exponent + other.exponent + 64 }
    }
}

/// The power of ten that brings a number of this exponent within the bounds, and which one it is.
fn power_for(exponent: i32) -> (Scaled, i32) {
    // The table's length serves as the number of bits to be gained.
    let about = (f64::from(-(exponent + POWERS.len() as i32)) * std::f64::consts::LOG10_2) as i32;
    let mut index = (about - POWER_FIRST) / POWER_STEP;
    loop {
        let ten_to = POWER_FIRST + index * POWER_STEP;
        // The whole part of ten_to * log2(10), and the bits of the mantissa.
        let power = Scaled { mantissa: POWERS[index as usize], exponent: ((ten_to * 217_706) >> 16) - 63 };
        let scaled = exponent + power.exponent + 64;
        if scaled < SCALED_EXPONENT_MIN {
            index += 1;
        } else if scaled > SCALED_EXPONENT_MAX {
            index -= 1;
        } else {
            return (power, ten_to);
        }
    }
}

/// Decimal digits.
pub(super) struct Digits {
    bytes: [u8; 20],
    len: usize,
    /// The power of ten that the last digit counts.
    pub scale: i32,
}

impl Digits {
    /// Those of a number that is finite, not 0, and taken for positive.
    pub fn of(value: f64) -> Digits {
        let bits = value.to_bits();
        let (stored, exponent) = (bits & (HIDDEN_BIT - 1), (bits >> 52) as i32 & 0x7ff);
        let number = match exponent {
            0 => Scaled { mantissa: stored, exponent: 1 - EXPONENT_BIAS },
            _ => Scaled { mantissa: stored | HIDDEN_BIT, exponent: exponent - EXPONENT_BIAS },
        };
        // Half way to the neighbours; the lower one is nearer below a power of two.
        let upper =
            Scaled { mantissa: (number.mantissa << 1) + 1, exponent: number.exponent - 1 }.normalized();
        let nearer = if number.mantissa == HIDDEN_BIT { 2 } else { 1 };
        let lower_exponent = number.exponent - nearer;
        let lower_mantissa = ((number.mantissa << nearer) - 1) << (lower_exponent - upper.exponent);
        let lower = Scaled { mantissa: lower_mantissa, exponent: upper.exponent };
        let (power, ten_to) = power_for(upper.exponent);
        let (number, mut lower, mut upper) =
            (number.normalized().times(power), lower.times(power), upper.times(power));
        // Safe from what rounding has done to them.
        lower.mantissa += 1;
        upper.mantissa -= 1;
        let mut digits = Digits { bytes: [0; 20], len: 0, scale: -ten_to };
        digits.generate(upper, upper.mantissa - number.mantissa, upper.mantissa - lower.mantissa);
        digits
    }

    /// The digits.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    fn push(&mut self, digit: u64) {
        if digit != 0 || self.len > 0 {
            self.bytes[self.len] = b'0' + digit as u8;
            self.len += 1;
        }
    }

    /// Writes digits of `upper` until what is left of it is no more than `room`. `distance`: how far the number itself
    /// is below.
    fn generate(&mut self, upper: Scaled, distance: u64, mut room: u64) {
        let shift = upper.exponent.unsigned_abs();
        let one = 1u64 << shift;
        let (mut whole, mut fraction) = (upper.mantissa >> shift, upper.mantissa & (one - 1));
        for place in (0..10).rev() {
            let unit = 10u64.pow(place);
            self.push(whole / unit);
            whole %= unit;
            let rest = (whole << shift) + fraction;
            if rest <= room {
                self.scale += place as i32;
                return self.approach(distance, room, rest, unit << shift);
            }
        }
        let mut scaled_distance = distance;
        loop {
            (fraction, room) = (fraction.wrapping_mul(10), room.wrapping_mul(10));
            scaled_distance = scaled_distance.wrapping_mul(10);
            self.scale -= 1;
            self.push(fraction >> shift);
            fraction &= one - 1;
            if fraction < room {
                return self.approach(scaled_distance, room, fraction, one);
            }
        }
    }

    /// Takes from the last digit as long as that brings it nearer to the number.
    fn approach(&mut self, distance: u64, room: u64, mut rest: u64, unit: u64) {
        while rest < distance
            && room - rest >= unit
            && (rest.wrapping_add(unit) < distance || distance - rest > rest.wrapping_add(unit) - distance)
        {
            self.bytes[self.len - 1] -= 1;
            rest += unit;
        }
    }
}
