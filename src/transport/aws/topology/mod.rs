//! Topics, queues and what lies between them: made, or looked at.
