//! The number that a process ends with.

/// Why a process ended, as a number: gRPC's code for it, as in other baton connectors, and a
/// few of our own beyond gRPC's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExitCode(u8);

impl ExitCode {
    /// Nothing more is known than that it failed.
    pub const UNKNOWN: Self = Self(2);
    /// A mistake in flags, variables or file, or in what they name.
    pub const INVALID_ARGUMENT: Self = Self(3);
    /// There was no answer in time.
    pub const DEADLINE_EXCEEDED: Self = Self(4);
    /// The token may not do what is needed.
    pub const PERMISSION_DENIED: Self = Self(7);
    /// The rate limit is spent.
    pub const RESOURCE_EXHAUSTED: Self = Self(8);
    /// Something isn't there for now: another run may succeed.
    pub const UNAVAILABLE: Self = Self(14);
    /// The token or the credentials are none.
    pub const UNAUTHENTICATED: Self = Self(16);
    /// Success, and something changed. No code of gRPC, nor of a signal.
    pub const CHANGED: Self = Self(20);

    /// One of gRPC's codes, by its number.
    pub(crate) const fn of_grpc(code: u8) -> Self {
        Self(code)
    }

    /// A process that a signal ended, as shells count: 128 and the signal's number.
    pub(crate) const fn of_signal(number: u8) -> Self {
        Self(128 + number)
    }

    pub const fn number(self) -> u8 {
        self.0
    }
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code.number())
    }
}
