//! What a tegami service does about a message of tomodachi's.

use serde_json::json;

use super::{
    Emulated,
    office::{Office, Way, posted},
};
use crate::{desk::letter, failing, peer::Kind};

pub async fn failing(on: Emulated, kind: Kind) {
    let office = Office::open(on).await;
    let desk = office.desk(failing::failing(kind)).await.expect("it starts");
    let mut message = posted(kind, Way::Topic, &letter(7, "hello"));
    message["attributes"] = json!({ "urgent": true, "floor": 3 });
    let mut peer = office.peer([]).await;
    peer.send(message).await;
    failing::kept_and_put_back(kind, desk, office.transport(""), office.name("desk")).await;
}
