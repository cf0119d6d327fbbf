//! The stores under comparison, a file for each.

#[cfg(feature = "peers")]
mod candystore;
#[cfg(feature = "peers")]
mod emdb;
#[cfg(feature = "peers")]
mod fjall;
#[cfg(feature = "peers")]
mod heed;
#[cfg(feature = "peers")]
mod redb;
#[cfg(feature = "rocksdb")]
mod rocksdb;
#[cfg(feature = "peers")]
mod rusqlite;
mod simd_r_drive;
mod tailstone;

pub use tailstone::FILE as TAILSTONE_FILE;

use crate::measured::Rows;
use crate::peer::Outcome;
use crate::workloads::{Job, run};

/// Makes the list of stores from one table: how each is called here, on the command line and in the figures, and who it is.
macro_rules! engines {
    ($($(#[$cfg:meta])* $engine:ident = $name:literal, $home:literal, $peer:ty;)*) => {
        /// Which store.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        // The files of this folder say who they are.
        pub enum Engine {
            $($(#[$cfg])* $engine,)*
        }

        impl Engine {
            /// All that were built.
            pub const ALL: &[Self] = &[$($(#[$cfg])* Self::$engine,)*];

            /// What it is called on the command line and in the figures.
            pub const fn name(self) -> &'static str {
                match self {
                    $($(#[$cfg])* Self::$engine => $name,)*
                }
            }

            /// The folder of its store; several ways to read one file share it.
            pub const fn home(self) -> &'static str {
                match self {
                    $($(#[$cfg])* Self::$engine => $home,)*
                }
            }

            /// Does a job on it.
            pub fn run(self, job: &Job<'_>) -> Outcome<Rows> {
                match self {
                    $($(#[$cfg])* Self::$engine => run::<$peer>(job),)*
                }
            }

            /// What a reader of its buffered figures has to know.
            pub const fn note(self) -> Option<&'static str> {
                match self {
                    $($(#[$cfg])* Self::$engine => <$peer as crate::peer::Peer>::NOTE,)*
                }
            }
        }
    };
}

engines! {
    Tailstone = "tailstone", "tailstone", tailstone::ByStore;
    TailstoneReader = "tailstone-reader", "tailstone", tailstone::ByReader;
    TailstoneSync = "tailstone-sync", "tailstone", tailstone::BySync;
    SimdRDrive = "simd-r-drive", "simd-r-drive", simd_r_drive::SimdRDrive;
    #[cfg(feature = "peers")]
    Emdb = "emdb", "emdb", emdb::EmdbPeer;
    #[cfg(feature = "peers")]
    Candystore = "candystore", "candystore", candystore::CandyPeer;
    #[cfg(feature = "peers")]
    Redb = "redb", "redb", redb::RedbPeer;
    #[cfg(feature = "peers")]
    Heed = "heed", "heed", heed::HeedPeer;
    #[cfg(feature = "peers")]
    Fjall = "fjall", "fjall", fjall::FjallPeer;
    #[cfg(feature = "peers")]
    Rusqlite = "rusqlite", "rusqlite", rusqlite::SqlitePeer;
    #[cfg(feature = "rocksdb")]
    Rocksdb = "rocksdb", "rocksdb", rocksdb::RocksPeer;
}
