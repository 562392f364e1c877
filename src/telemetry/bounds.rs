//! Where the parts of histograms end.

/// Upper bounds in seconds, those that OpenTelemetry's conventions advise for messages and requests.
pub(super) const BOUNDS: [f64; 14] = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];
/// The same for how long messages waited, which may be hours.
pub(super) const WAITS: [f64; 12] = [0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 86400.0];
