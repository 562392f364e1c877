//! What a subscription wants, in the filter policy language of SNS.
