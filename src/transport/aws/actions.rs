//! What is asked of AWS: the permission each call takes, and what it is asked for. The one list that errors name
//! permissions by, and that a policy for a service is made of.

/// What a service does with its topics and queues.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Duty {
    /// Takes messages from queues, and settles them.
    Consume,
    /// Puts messages straight into queues: dead letters, and what is sent past the topics.
    Send,
    /// Publishes to topics.
    Publish,
    /// Looks at dead letters, and takes them away once they were put back.
    Redrive,
    /// Looks at topics, queues and what lies between them.
    Verify,
    /// Makes them, and mends what differs.
    Create,
}

/// One kind of call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Action {
    ChangeMessageVisibility,
    DeleteMessage,
    ReceiveMessage,
    SendMessage,
    GetQueueUrl,
    GetQueueAttributes,
    ListQueueTags,
    CreateQueue,
    SetQueueAttributes,
    TagQueue,
    DeleteQueue,
    Publish,
    GetTopicAttributes,
    ListTags,
    ListSubscriptions,
    GetSubscriptionAttributes,
    CreateTopic,
    SetTopicAttributes,
    TagTopic,
    Subscribe,
    SetSubscriptionAttributes,
    Unsubscribe,
    GetCallerIdentity,
}

/// Each kind of call: its permission, what it does, and who makes it. The calls for many messages at once
/// (`…Batch`) take the permission of those for one. Who we are may be asked by anyone; what is left of earlier plans is not
/// the service's to delete.
/// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
const TABLE: &[(Action, &str, &str, &[Duty])] = {
    use Action::{
        ChangeMessageVisibility, CreateQueue, CreateTopic, DeleteMessage, DeleteQueue, GetCallerIdentity,
        GetQueueAttributes, GetQueueUrl, GetSubscriptionAttributes, GetTopicAttributes, ListQueueTags,
        ListSubscriptions, ListTags, ReceiveMessage, SendMessage, SetQueueAttributes, SetSubscriptionAttributes,
        SetTopicAttributes, Subscribe, TagQueue, TagTopic, Unsubscribe,
    };
    use Duty::{Consume, Create, Redrive, Send, Verify};
    &[
        (ChangeMessageVisibility, "sqs:ChangeMessageVisibility", "hold messages of", &[Consume, Redrive]),
        (DeleteMessage, "sqs:DeleteMessage", "delete messages from", &[Consume, Redrive]),
        (ReceiveMessage, "sqs:ReceiveMessage", "receive from", &[Consume, Redrive]),
        (SendMessage, "sqs:SendMessage", "send to", &[Send]),
        (GetQueueUrl, "sqs:GetQueueUrl", "find", &[Consume, Send, Redrive, Verify, Create]),
        (GetQueueAttributes, "sqs:GetQueueAttributes", "read the attributes of", &[Verify, Create]),
        (ListQueueTags, "sqs:ListQueueTags", "read the tags of", &[Verify, Create]),
        (CreateQueue, "sqs:CreateQueue", "create", &[Create]),
        (SetQueueAttributes, "sqs:SetQueueAttributes", "change the attributes of", &[Create]),
        (TagQueue, "sqs:TagQueue", "tag", &[Create]),
        (DeleteQueue, "sqs:DeleteQueue", "delete", &[]),
        (Action::Publish, "sns:Publish", "publish to", &[Duty::Publish]),
        (GetTopicAttributes, "sns:GetTopicAttributes", "read the attributes of", &[Verify, Create]),
        (ListTags, "sns:ListTagsForResource", "read the tags of", &[Verify, Create]),
        (ListSubscriptions, "sns:ListSubscriptionsByTopic", "list the subscriptions of", &[Verify, Create]),
        (GetSubscriptionAttributes, "sns:GetSubscriptionAttributes", "read the attributes of", &[Verify, Create]),
        (CreateTopic, "sns:CreateTopic", "create", &[Create]),
        (SetTopicAttributes, "sns:SetTopicAttributes", "change the attributes of", &[Create]),
        (TagTopic, "sns:TagResource", "tag", &[Create]),
        (Subscribe, "sns:Subscribe", "create", &[Create]),
        (SetSubscriptionAttributes, "sns:SetSubscriptionAttributes", "change the attributes of", &[Create]),
        (Unsubscribe, "sns:Unsubscribe", "delete", &[]),
        (GetCallerIdentity, "sts:GetCallerIdentity", "tell the account of", &[]),
    ]
};

/// All that are made for this.
pub(super) fn of(duty: Duty) -> impl Iterator<Item = Action> {
    TABLE.iter().filter(move |(.., duties)| duties.contains(&duty)).map(|(action, ..)| *action)
}

impl Action {
    /// The permission that it takes.
    pub(super) fn permission(self) -> &'static str {
        self.row().1
    }

    /// What it does, to be read before what it does that to.
    pub(super) fn words(self) -> &'static str {
        self.row().2
    }

    fn row(self) -> &'static (Action, &'static str, &'static str, &'static [Duty]) {
        TABLE.iter().find(|(action, ..)| *action == self).expect("each has its row")
    }
}
