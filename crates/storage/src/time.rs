//! Moments as people read them.

/// A moment in Unix milliseconds as date and time: `2026-11-30 19:02:11 UTC`. Years beyond 9999 stay numbers.
pub fn utc(unix_ms: i64) -> String {
    const DAY_S: i64 = 86_400;
    let unix_s = unix_ms.div_euclid(1000);
    let (days, second) = (unix_s.div_euclid(DAY_S), unix_s.rem_euclid(DAY_S));
    // Years that begin in March, in cycles of 400, so that a leap day is the last of its year.
    let since_march = days + 719_468;
    let cycle = since_march.div_euclid(146_097);
    let day_of_cycle = since_march.rem_euclid(146_097);
    let year_of_cycle =
        (day_of_cycle - day_of_cycle / 1460 + day_of_cycle / 36_524 - day_of_cycle / 146_096) / 365;
    let day_of_year = day_of_cycle - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_cycle + cycle * 400 + i64::from(month <= 2);
    if !(0..=9999).contains(&year) {
        return format!("{unix_ms} (Unix milliseconds)");
    }
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
}

#[cfg(test)]
mod tests {
    use super::utc;

    #[test]
    fn dates_are_those_of_the_calendar() {
        // From `date -u -d @N`.
        for (unix_s, text) in [
            (0, "1970-01-01 00:00:00 UTC"),
            (-1, "1969-12-31 23:59:59 UTC"),
            (951_782_400, "2000-02-29 00:00:00 UTC"),
            (951_868_800, "2000-03-01 00:00:00 UTC"),
            (1_764_000_000, "2025-11-24 16:00:00 UTC"),
            (4_107_542_399, "2100-02-28 23:59:59 UTC"),
            (4_107_542_400, "2100-03-01 00:00:00 UTC"),
            (253_402_300_799, "9999-12-31 23:59:59 UTC"),
        ] {
            assert_eq!(utc(unix_s * 1000 + 999), text, "{unix_s}");
        }
        assert!(utc(i64::MAX).contains("Unix") && utc(i64::MIN).contains("Unix"));
    }
}
