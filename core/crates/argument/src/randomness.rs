//! Fresh secrets: the operating system's randomness, mixed with the secrets that it is to protect (hedged).
//!
//! Blinders that repeat, or that somebody can guess, give the witness away. Hashing the system's bytes together with
//! statement, context and openings keeps both from happening when the system alone fails: a source that repeats itself
//! gives other blinders for whatever else is proven, and one that an outsider can predict gives blinders that he cannot
//! compute without the openings and their blindings.

use chacha20::ChaCha20Rng;
use curve::{SCALAR_BYTES, Scalar};
use getrandom::SysRng;
use rand_core::{SeedableRng, TryCryptoRng};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::commitment::Opening;
use crate::error::{ArgumentError, Code};
use crate::integer::Integer;
use crate::statement::Statement;

const PROOF_DOMAIN: &[u8] = b"marginproof/blinders/v1";
const BLINDING_DOMAIN: &[u8] = b"marginproof/blinding/v1";

/// Twice what the generator's key takes, so that a source of some bias still fills it.
const SYSTEM_BYTES: usize = 64;

/// The blinders of one proof, one after another. Wiped when dropped.
pub(crate) struct Blinders(ChaCha20Rng);

impl Blinders {
    /// From a source of randomness and everything that goes into the proof.
    ///
    /// # Errors
    /// `RANDOMNESS_UNAVAILABLE` if the source fails.
    pub(crate) fn for_proof<S: TryCryptoRng + ?Sized>(
        source: &mut S,
        statement: &Statement,
        openings: &[&Opening],
        context: &[u8],
    ) -> Result<Self, ArgumentError> {
        let mut mixer = Mixer::new(PROOF_DOMAIN, source)?;
        mixer.absorb(statement.digest());
        mixer.absorb(context);
        for opening in openings {
            mixer.absorb(&*Zeroizing::new(opening.blinding().to_be_bytes()));
            mixer.absorb_entries((0..).zip(opening.values()).filter(|(_, value)| !value.is_zero()));
        }
        Ok(mixer.finish())
    }

    /// A uniform element of the field.
    pub(crate) fn draw(&mut self) -> Scalar {
        Scalar::random(&mut self.0)
    }
}

/// A blinding for a commitment to a vector, given by its entries that are not zero: 32 bytes, big-endian, below r.
///
/// # Errors
/// `RANDOMNESS_UNAVAILABLE` if the operating system gives no random bytes.
pub fn random_blinding(entries: &[(u32, Integer)]) -> Result<Zeroizing<[u8; SCALAR_BYTES]>, ArgumentError> {
    blinding_from(&mut SysRng, entries)
}

fn blinding_from<S: TryCryptoRng + ?Sized>(
    source: &mut S,
    entries: &[(u32, Integer)],
) -> Result<Zeroizing<[u8; SCALAR_BYTES]>, ArgumentError> {
    let mut mixer = Mixer::new(BLINDING_DOMAIN, source)?;
    mixer.absorb_entries(entries.iter().map(|(index, value)| (*index, value)));
    let blinding = Zeroizing::new(mixer.finish().draw());
    Ok(Zeroizing::new(blinding.to_be_bytes()))
}

/// SHA-256 over fields of marked lengths; the hash is the key of the generator. The hasher wipes its state.
struct Mixer(Sha256);

impl Mixer {
    fn new<S: TryCryptoRng + ?Sized>(domain: &[u8], source: &mut S) -> Result<Self, ArgumentError> {
        let mut fresh = Zeroizing::new([0; SYSTEM_BYTES]);
        source.try_fill_bytes(&mut *fresh).map_err(|_| {
            let message = "the operating system gives no random bytes; nothing was made; repair it and try again";
            ArgumentError::new(Code::RandomnessUnavailable, message)
        })?;
        let mut mixer = Self(Sha256::new());
        mixer.absorb(domain);
        mixer.absorb(&*fresh);
        Ok(mixer)
    }

    fn absorb(&mut self, field: &[u8]) {
        self.0.update((field.len() as u64).to_be_bytes());
        self.0.update(field);
    }

    /// A field of 52 bytes for each entry; the next opening begins with one of 32.
    fn absorb_entries<'a>(&mut self, entries: impl Iterator<Item = (u32, &'a Integer)>) {
        let mut field = Zeroizing::new([0; 4 + Integer::BYTES]);
        for (index, value) in entries {
            let (head, tail) = field.split_at_mut(4);
            head.copy_from_slice(&index.to_be_bytes());
            tail.copy_from_slice(&*Zeroizing::new(value.to_le_bytes()));
            self.absorb(&*field);
        }
    }

    fn finish(self) -> Blinders {
        let mut key = Zeroizing::new([0; 32]);
        self.0.finalize_into((&mut *key).into());
        Blinders(ChaCha20Rng::from_seed(*key))
    }
}

#[cfg(test)]
mod tests {
    use rand_core::TryRng;

    use super::*;
    use crate::Row;

    /// A source that gives the same byte for ever, or fails.
    struct Stuck(Option<u8>);

    impl TryRng for Stuck {
        type Error = getrandom::Error;

        fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
            rand_core::utils::next_word_via_fill(self)
        }

        fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
            rand_core::utils::next_word_via_fill(self)
        }

        fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
            bytes.fill(self.0.ok_or(getrandom::Error::UNSUPPORTED)?);
            Ok(())
        }
    }

    impl TryCryptoRng for Stuck {}

    fn statement(constant: i128) -> Statement {
        let row = |bits| Row { bits, constant: Integer::from(constant), weights: vec![vec![(0, 1)], vec![(0, 1)]] };
        Statement::new(256, 2, 2, vec![row(16)]).unwrap()
    }

    fn opening(entries: &[(u32, i128)], blinding: u8) -> Opening {
        let entries = entries.iter().map(|(index, value)| (*index, Integer::from(*value)));
        Opening::new(256, entries, &[blinding; SCALAR_BYTES]).unwrap()
    }

    fn first(source: Option<u8>, statement: &Statement, openings: [&Opening; 2], context: &[u8]) -> [u8; SCALAR_BYTES] {
        Blinders::for_proof(&mut Stuck(source), statement, &openings, context).unwrap().draw().to_be_bytes()
    }

    #[test]
    fn a_source_that_repeats_itself_never_repeats_blinders_of_another_proof() {
        let (same, other) = (statement(5), statement(6));
        let (a, b) = (opening(&[(0, 3), (1, 4)], 1), opening(&[], 1));
        let drawn = [
            first(Some(0), &same, [&a, &b], b"context"),
            first(Some(1), &same, [&a, &b], b"context"),
            first(Some(0), &other, [&a, &b], b"context"),
            first(Some(0), &same, [&a, &b], b"other context"),
            first(Some(0), &same, [&a, &b], b""),
            first(Some(0), &same, [&b, &a], b"context"),
            first(Some(0), &same, [&opening(&[(0, 3), (1, 5)], 1), &b], b"context"),
            first(Some(0), &same, [&opening(&[(0, 3), (2, 4)], 1), &b], b"context"),
            first(Some(0), &same, [&opening(&[(0, 3)], 1), &opening(&[(1, 4)], 1)], b"context"),
            first(Some(0), &same, [&opening(&[(0, 3), (1, 4)], 2), &b], b"context"),
            first(Some(0), &same, [&a, &opening(&[], 2)], b"context"),
        ];
        let distinct: std::collections::BTreeSet<_> = drawn.iter().collect();
        assert_eq!(distinct.len(), drawn.len());
        assert_eq!(drawn[0], first(Some(0), &same, [&a, &b], b"context"));
    }

    #[test]
    fn blinders_follow_one_another_without_repeating() {
        let (statement, opening) = (statement(0), opening(&[], 1));
        let mut blinders = Blinders::for_proof(&mut Stuck(Some(0)), &statement, &[&opening, &opening], b"").unwrap();
        let drawn: std::collections::BTreeSet<_> = (0..100).map(|_| blinders.draw().to_be_bytes()).collect();
        assert_eq!(drawn.len(), 100);
    }

    #[test]
    fn blindings_depend_on_the_source_and_on_what_they_hide() {
        let entries = |value: i128| [(7, Integer::from(value))];
        let draw = |source, value| *blinding_from(&mut Stuck(Some(source)), &entries(value)).unwrap();
        let drawn = [draw(0, 1), draw(1, 1), draw(0, 2)];
        assert!(drawn[0] != drawn[1] && drawn[0] != drawn[2] && drawn[1] != drawn[2]);
        assert_ne!(*random_blinding(&entries(1)).unwrap(), *random_blinding(&entries(1)).unwrap());
    }

    #[test]
    fn a_source_that_fails_is_a_refusal() {
        let (statement, opening) = (statement(0), opening(&[], 1));
        let refused = Blinders::for_proof(&mut Stuck(None), &statement, &[&opening, &opening], b"").err().unwrap();
        assert_eq!(refused.code, Code::RandomnessUnavailable);
        assert_eq!(blinding_from(&mut Stuck(None), &[]).unwrap_err().code, Code::RandomnessUnavailable);
    }
}
