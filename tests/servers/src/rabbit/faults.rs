//! What can be done to a RabbitMQ. What is taken back leaves it as it was.

use std::collections::BTreeMap;

use super::Rabbit;

/// Writes down what the broker only remembers: it keeps the registry of quorum queues in tables that reach the file
/// seconds later, and a queue that is missing there after a kill hangs for ever.
const WRITE_DOWN: &str = "[dets:sync(Table) || Table <- dets:all()].";
/// Has the first channel that consumes make a mistake, as a client might: it acks what it was never handed.
const CLOSE_A_CHANNEL: &str = "[Pid | _] = [Pid || Pid <- rabbit_channel:list(),
    rabbit_channel:info(Pid, [consumer_count]) =/= [{consumer_count, 0}]],
    rabbit_channel_common:do(Pid, {'basic.ack', 999999, false}).";

/// The policy that makes queues full.
const FULL: &str = "full";

impl Rabbit {
    /// Ends it as a power cut would; queues that were declared until now are there again after [`start`](Self::start).
    ///
    /// # Panics
    /// It did not run.
    pub async fn kill9(&self) {
        self.held.broken();
        self.eval(WRITE_DOWN).await;
        self.script(&["kill9"]).await;
    }

    /// Ends it in good order.
    ///
    /// # Panics
    /// It does not end.
    pub async fn stop(&self) {
        self.held.broken();
        self.script(&["stop"]).await;
    }

    /// Starts it, and waits until it answers.
    ///
    /// # Panics
    /// It does not start.
    pub async fn start(&self) {
        self.script(&["start"]).await;
        self.held.whole();
    }

    /// Lets it hang: connections stay open, nothing moves.
    ///
    /// # Panics
    /// It did not run.
    pub async fn freeze(&self) {
        self.held.broken();
        self.script(&["freeze"]).await;
    }

    /// Lets it go on.
    ///
    /// # Panics
    /// It does not run.
    pub async fn thaw(&self) {
        self.script(&["thaw"]).await;
        self.held.whole();
    }

    /// Has it believe that its memory is full: it takes no publishes.
    ///
    /// # Panics
    /// It does not answer.
    pub async fn block(&self) {
        self.held.broken();
        self.ctl(&["set_vm_memory_high_watermark", "0.0000001"]).await;
    }

    /// Has it take publishes again.
    ///
    /// # Panics
    /// It does not answer.
    pub async fn unblock(&self) {
        self.ctl(&["set_vm_memory_high_watermark", "0.4"]).await;
        self.held.whole();
    }

    /// Closes every connection, as an operator would.
    ///
    /// # Panics
    /// It does not answer.
    pub async fn close_connections(&self) {
        self.ctl(&["close_all_connections", "a test wants it"]).await;
    }

    /// Closes one channel that consumes; its connection and the other channels stay.
    ///
    /// # Panics
    /// Nobody consumes.
    pub async fn close_a_channel(&self) {
        self.eval(CLOSE_A_CHANNEL).await;
    }

    /// Puts an empty queue in the place of each whose name ends so, and lets them take nothing until they are
    /// [relieved](Self::relieve). What these held is gone. The new ones are classic: a quorum queue would take some
    /// messages before it is full.
    ///
    /// # Panics
    /// There is none.
    pub async fn fill(&self, ending: &str) {
        self.lock(ending).await;
        let renewed = format!(
            "Queues = [Queue || Queue <- rabbit_amqqueue:list(),
                lists:suffix(\"{ending}\", binary_to_list(element(4, amqqueue:get_name(Queue))))],
            true = Queues =/= [],
            [rabbit_amqqueue:delete(Queue, false, false, <<\"test\">>) || Queue <- Queues],
            [rabbit_amqqueue:declare(amqqueue:get_name(Queue), true, false, [], none, <<\"test\">>) || Queue <- Queues],
            ok."
        );
        self.eval(&renewed).await;
    }

    /// Lets the classic queues whose names end so take nothing until they are [relieved](Self::relieve); they stay as they
    /// are, and where they are bound.
    ///
    /// # Panics
    /// It does not answer.
    pub async fn lock(&self, ending: &str) {
        self.held.broken();
        let (pattern, full) = (format!(".*{ending}$"), r#"{"max-length": 0, "overflow": "reject-publish"}"#);
        self.ctl(&["set_policy", "--apply-to", "queues", FULL, &pattern, full]).await;
    }

    /// Lets the queues take messages again that were [full](Self::fill). They stay: RabbitMQ confirms also what was on
    /// its way into a queue that is deleted.
    ///
    /// # Panics
    /// It does not answer.
    pub async fn relieve(&self) {
        self.ctl(&["clear_policy", FULL]).await;
        self.held.whole();
    }

    /// Deletes each queue whose name ends so, with what it holds.
    ///
    /// # Panics
    /// There is none.
    pub async fn delete(&self, ending: &str) {
        let gone = format!(
            "Queues = [Queue || Queue <- rabbit_amqqueue:list(),
                lists:suffix(\"{ending}\", binary_to_list(element(4, amqqueue:get_name(Queue))))],
            true = Queues =/= [],
            [rabbit_amqqueue:delete(Queue, false, false, <<\"test\">>) || Queue <- Queues],
            ok."
        );
        self.eval(&gone).await;
    }

    /// How many messages wait in the queues whose names end so, as each of them says now.
    ///
    /// # Panics
    /// It does not answer.
    pub async fn waiting(&self, ending: &str) -> u64 {
        let asked = format!(
            "Queues = [Queue || Queue <- rabbit_amqqueue:list(),
                lists:suffix(\"{ending}\", binary_to_list(element(4, amqqueue:get_name(Queue))))],
            lists:sum([begin {{ok, Count, _}} = rabbit_amqqueue:stat(Queue), Count end || Queue <- Queues])."
        );
        let told = self.ctl(&["eval", &asked]).await;
        told.trim().parse().unwrap_or_else(|_| panic!("no number: {told}"))
    }

    /// How many messages wait in each queue whose name begins so, as each of them says now.
    ///
    /// # Panics
    /// It does not answer.
    pub async fn counts(&self, beginning: &str) -> BTreeMap<String, u64> {
        let asked = format!(
            "[begin {{ok, Count, _}} = rabbit_amqqueue:stat(Queue), {{element(4, amqqueue:get_name(Queue)), Count}} end
                || Queue <- rabbit_amqqueue:list(),
                lists:prefix(\"{beginning}\", binary_to_list(element(4, amqqueue:get_name(Queue))))]."
        );
        let told = self.ctl(&["eval", &asked]).await;
        let pairs = told.split("{<<\"").skip(1).map(|pair| pair.split_once("\">>,").expect("a name and a count"));
        let count = |text: &str| text.split('}').next().and_then(|count| count.trim().parse().ok());
        pairs
            .map(|(name, rest)| (name.to_owned(), count(rest).unwrap_or_else(|| panic!("no number: {rest}"))))
            .collect()
    }

    /// Runs `rabbitmqctl`, which boots a whole Erlang for it: half a second or more.
    ///
    /// # Panics
    /// It fails.
    pub async fn ctl(&self, arguments: &[&str]) -> String {
        self.script(&[&["ctl"], arguments].concat()).await
    }

    async fn eval(&self, code: &str) {
        self.ctl(&["eval", code]).await;
    }
}
