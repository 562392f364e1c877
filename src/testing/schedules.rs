//! What a test sees of schedules.

use super::TestService;
use crate::schedule::Report;

impl TestService {
    /// What became of the service's schedules so far, in the order they were given.
    pub fn schedules(&self) -> Vec<Report> {
        self.service.schedules()
    }
}
