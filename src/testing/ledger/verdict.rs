//! stub
pub struct Verdict;
impl Verdict {
    pub fn of(_: &std::path::Path) -> Result<Self, std::io::Error> {
        Ok(Self)
    }
    pub fn is_clean(&self) -> bool {
        true
    }
}
impl std::fmt::Display for Verdict {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        Ok(())
    }
}
