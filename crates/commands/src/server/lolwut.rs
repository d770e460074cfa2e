use tessera_command::REDIS_VERSION;
use tessera_command::prelude::*;

/// Characters that the drawing is wide, unless told otherwise.
const DEFAULT_COLUMNS: i64 = 64;
/// Lines that it is high, unless told otherwise.
const DEFAULT_ROWS: i64 = 12;
/// The largest of either.
const MAX_SIZE: i64 = 1000;
/// The tiles, from light to dark.
const TILES: [char; 5] = [' ', '░', '▒', '▓', '█'];

/// A mosaic of so many tiles.
pub struct Drawing {
    columns: usize,
    rows: usize,
}

pub struct Lolwut;

impl Session for Lolwut {
    const SPEC: Spec = Spec {
        name: "lolwut",
        summary: "Shows a drawing and the version.",
        since: "5.0.0",
        group: Group::Server,
        complexity: "",
        flags: Flags::READONLY.with(Flags::FAST),
        grammar: &[integer("version").after("VERSION").optional()],
        arity: Some(-1),
        ..Spec::BASE
    };
    type Args<'a> = Drawing;

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        let version = if words.left() >= 2 && words.take("version") { words.integer()? } else { 0 };
        // Only the drawings of these two versions of Redis have sizes.
        let sizes_len = match version {
            5 => 3,
            6 => 2,
            _ => 0,
        };
        let mut sizes = [DEFAULT_COLUMNS, DEFAULT_ROWS, 0];
        for size in sizes.iter_mut().take(sizes_len.min(words.left())) {
            *size = words.integer()?;
        }
        let [columns, rows, _] = sizes.map(|size| size.clamp(1, MAX_SIZE) as usize);
        Ok(Drawing { columns, rows })
    }

    fn execute(
        drawing: &Drawing,
        session: &mut SessionContext<'_>,
        reply: &mut Reply<'_>,
    ) -> Result<(), Error> {
        let mut text = drawing.draw(session.host.unix_us() as u64);
        text.push_str(&format!("\nTesserae, another floor each time. Redis ver. {REDIS_VERSION}\n"));
        reply.verbatim("txt", text.as_bytes());
        Ok(())
    }
}

impl Drawing {
    /// The floor number `seed`: waves around the middle, the same on all four sides, and a little noise.
    fn draw(&self, seed: u64) -> String {
        let mut picture = String::with_capacity((self.columns * 3 + 1) * self.rows);
        let waves = 2 + mix(seed) % 5;
        for row in 0..self.rows {
            for column in 0..self.columns {
                // A tile is as high as two are wide.
                let (x, y) = (fold(column, self.columns), 2 * fold(row, self.rows));
                let noise = mix(seed ^ ((x as u64) << 32 | y as u64)) % 3;
                let distance = (x * x + y * y).isqrt() as u64;
                let shade = (distance * waves / 4 + noise) % (2 * TILES.len() as u64 - 2);
                let shade =
                    if shade < TILES.len() as u64 { shade } else { 2 * TILES.len() as u64 - 2 - shade };
                picture.push(TILES[shade as usize]);
            }
            picture.push('\n');
        }
        picture
    }
}

/// The distance to the middle.
fn fold(at: usize, len: usize) -> usize {
    (2 * at + 1).abs_diff(len) / 2
}

/// Scatters bits. (splitmix64)
fn mix(seed: u64) -> u64 {
    let mut bits = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_floor_has_its_size_and_is_alike_on_all_sides() {
        let text = Drawing { columns: 9, rows: 4 }.draw(7);
        let lines: Vec<Vec<char>> = text.lines().map(|line| line.chars().collect()).collect();
        assert_eq!(lines.len(), 4);
        for line in &lines {
            assert_eq!(line.len(), 9);
            assert!(line.iter().eq(line.iter().rev()));
        }
        assert_eq!((&lines[0], &lines[1]), (&lines[3], &lines[2]));
        assert_ne!(text, Drawing { columns: 9, rows: 4 }.draw(8));
    }
}
