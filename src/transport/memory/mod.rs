//! stub
use super::*;
#[derive(Clone)]
pub struct Memory;
impl Memory {
    pub fn new() -> Self {
        Memory
    }
    pub fn named(_: &str) -> Self {
        Memory
    }
    pub async fn quiet(&self) {}
    pub fn dead_letters_now(&self, _: &str, _: usize) -> Vec<DeadLetter> {
        vec![]
    }
}
#[async_trait]
impl Transport for Memory {
    fn name(&self) -> &'static str {
        "memory"
    }
    fn capabilities(&self) -> Capabilities {
        todo!()
    }
    async fn provision(&self, _: &Topology, _: Provision) -> Result<(), TransportError> {
        Ok(())
    }
    async fn publish(&self, _: Outgoing) -> Result<(), PublishError> {
        Ok(())
    }
    async fn consume(&self, _: &QueuePlan) -> Result<Box<dyn Deliveries>, TransportError> {
        todo!()
    }
    async fn dead_letters(&self, _: &str, _: usize) -> Result<Vec<DeadLetter>, TransportError> {
        todo!()
    }
    async fn redrive(&self, _: &str) -> Result<usize, TransportError> {
        todo!()
    }
    async fn close(&self) {}
}
