//! Topics, queues and what lies between them: made, or looked at.

use super::{address::Parameters, directory::Directory, setup::Clients};
use crate::transport::{Provision, Topology, TransportError};

pub(super) async fn provision(
    _: &Clients,
    _: &Directory,
    _: &Parameters,
    _: &Topology,
    _: Provision,
) -> Result<(), TransportError> {
    Ok(())
}
