//! What goes wrong, drawn from the seed: which faults, in which order, upon whom, for how long.

use std::time::Duration;

use crate::{
    asked::{Phase, Way, Whose},
    crew::{CREW, PUBLISHER},
};

/// The consumers' places in the crew.
const CONSUMERS: [usize; CREW.len() - 1] = [1, 2];
/// How far apart faults begin.
const APART: Duration = Duration::from_secs(8);

/// What goes wrong, each with what it is done to. A macro, for an enum cannot tell its variants.
macro_rules! kinds {
    ($($upon:ident { $($kind:ident)+ })+) => {
        /// What goes wrong.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Kind {
            $($($kind,)+)+
        }

        /// What it is done to.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Upon {
            $($upon,)+
        }

        impl Kind {
            pub fn upon(self) -> Upon {
                match self {
                    $($(Self::$kind)|+ => Upon::$upon,)+
                }
            }
        }

        impl Upon {
            fn kinds(self) -> &'static [Kind] {
                match self {
                    $(Self::$upon => &[$($kind),+],)+
                }
            }
        }
    };
}

use Kind::*;

kinds! {
    Rabbit { BrokerKilled BrokerRestarted BrokerFrozen ConnectionsClosed ChannelClosed MemoryAlarm }
    // The way of one process to RabbitMQ.
    Road {
        RoadReset RoadBlackhole RoadHalfClosed RoadCut RoadDelayed RoadStalled RoadRefusing RoadSilent RoadNarrow
        ConfirmsLost
    }
    Process {
        ConsumerKilled ConsumersKilled ConsumerFrozen ConsumerStopped PublisherKilled PublisherFrozen PublisherStopped
    }
    Database { BackendsKilled DatabaseKilled DatabaseRestarted DatabaseFrozen DatabaseReset }
    // Calls of SNS and SQS.
    Calls {
        PublishAnswersLost DeleteAnswersLost ReceiveAnswersLost DeletesPretended Throttled Expired Internal Unavailable
        Hanging BatchesPartlyFailed CallsReset CallsLate AnswersCut Unreachable ServicesFrozen
    }
}

/// What every run has, however short.
const ALWAYS: [&[Kind]; 2] =
    [&[BrokerKilled, ConsumerKilled, BackendsKilled, RoadReset], &[PublishAnswersLost, ConsumerKilled]];

impl Kind {
    /// Is it done to a process?
    fn is_upon_a_process(self) -> bool {
        self.upon() == Upon::Process
    }

    /// Are both done to one thing? A broker, the way to it and its calls are one.
    fn is_of_one_realm(self, other: Self) -> bool {
        let realm = |kind: Self| match kind.upon() {
            Upon::Rabbit | Upon::Road | Upon::Calls => Upon::Rabbit,
            realm => realm,
        };
        realm(self) == realm(other)
    }

    /// Has the broker itself ended by it?
    pub fn restarts_the_broker(self) -> bool {
        matches!(self, BrokerKilled | BrokerRestarted)
    }

    /// As the report calls it.
    pub fn name(self) -> String {
        let name = format!("{self:?}");
        let mut words = String::new();
        for letter in name.chars() {
            if letter.is_uppercase() && !words.is_empty() {
                words.push(' ');
            }
            words.extend(letter.to_lowercase());
        }
        words
    }
}

/// One thing that goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    pub number: usize,
    pub kind: Kind,
    /// Upon which of the crew, where it is one's.
    pub target: usize,
    pub lasts: Duration,
    /// Chance of its own.
    pub dice: u64,
}

impl Fault {
    /// What the ledger and the report call it.
    pub fn name(&self) -> String {
        let whose = match self.kind {
            ConsumersKilled => String::new(),
            kind => match kind.upon() {
                Upon::Road | Upon::Process => format!(" ({})", CREW[self.target].0),
                _ => String::new(),
            },
        };
        format!("{}: {}{whose}", self.number, self.kind.name())
    }
}

/// Faults that begin at one time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Round {
    /// From the begin of the phase.
    pub at: Duration,
    pub faults: Vec<Fault>,
}

/// Everything that goes wrong in a phase. Kinds are dealt like cards: none comes again before all have come. In the last
/// third two come at once.
pub fn drawn(seed: u64, phase: &Phase, whose: Whose) -> Vec<Round> {
    let mut deck = Deck::of(seed, phase, whose);
    let (mut rounds, mut number) = (Vec::new(), 0);
    for at in (0..).map(|round| APART * round).take_while(|at| *at < phase.time()) {
        let two = at >= phase.time() * 2 / 3;
        let left = phase.faults - number;
        if left == 0 {
            break;
        }
        let mut faults = vec![deck.deal(number + 1, None)];
        if two && left > 1 {
            let beside = faults[0];
            faults.push(deck.deal(number + 2, Some(beside)));
        }
        number += faults.len();
        rounds.push(Round { at, faults });
    }
    rounds
}

struct Deck {
    chance: fastrand::Rng,
    all: Vec<Kind>,
    left: Vec<Kind>,
}

impl Deck {
    fn of(seed: u64, phase: &Phase, whose: Whose) -> Self {
        let chance = fastrand::Rng::with_seed(seed ^ phase.way as u64);
        let broker = match phase.way {
            Way::Amqp => [Upon::Rabbit.kinds(), Upon::Road.kinds()].concat(),
            Way::Aws => Upon::Calls.kinds().to_vec(),
        };
        let database = if whose == Whose::Tegami { Upon::Database.kinds() } else { &[] };
        let all = [&broker, Upon::Process.kinds(), database].concat();
        let mut deck = Self { chance, left: Vec::new(), all };
        deck.shuffle();
        // What is always there comes among the first; the last card is dealt first.
        let always: Vec<_> =
            ALWAYS[phase.way as usize].iter().filter(|kind| deck.all.contains(kind)).copied().collect();
        deck.left.retain(|kind| !always.contains(kind));
        let top = phase.faults.min(deck.left.len());
        for kind in always {
            let place = deck.left.len() - deck.chance.usize(0..top.saturating_sub(ALWAYS[0].len()).max(1));
            deck.left.insert(place, kind);
        }
        deck
    }

    fn shuffle(&mut self) {
        self.left = self.all.clone();
        self.chance.shuffle(&mut self.left);
    }

    /// The next fault; of another realm than the one beside it, and not upon a process that is away.
    fn deal(&mut self, number: usize, beside: Option<Fault>) -> Fault {
        loop {
            let found = (0..self.left.len()).rev().find_map(|place| {
                let kind = self.left[place];
                let target = self.target(kind, beside)?;
                Some((place, kind, target))
            });
            if let Some((place, kind, target)) = found {
                self.left.remove(place);
                let lasts = Duration::from_millis(self.chance.u64(2_000..6_000));
                return Fault { number, kind, target, lasts, dice: self.chance.u64(..) };
            }
            self.shuffle();
        }
    }

    /// Upon whom; nobody, if it cannot be beside that one.
    fn target(&mut self, kind: Kind, beside: Option<Fault>) -> Option<usize> {
        let all: &[usize] = match kind {
            PublisherKilled | PublisherFrozen | PublisherStopped | ConfirmsLost => &[PUBLISHER],
            kind if kind.is_upon_a_process() => &CONSUMERS,
            _ => &[PUBLISHER, CONSUMERS[0], CONSUMERS[1]],
        };
        let fits = |target: &usize| beside.is_none_or(|beside| !clash((kind, *target), (beside.kind, beside.target)));
        let fitting: Vec<_> = all.iter().copied().filter(fits).collect();
        (!fitting.is_empty()).then(|| fitting[self.chance.usize(0..fitting.len())])
    }
}

/// Can these two not be at one time? Two things are not done to one realm; and a way is nobody's who is away.
fn clash(one: (Kind, usize), other: (Kind, usize)) -> bool {
    let is_gone = |(kind, target): (Kind, usize), of: usize| {
        kind.is_upon_a_process() && (target == of || kind == ConsumersKilled && of != PUBLISHER)
    };
    let is_blocked = |gone, road: (Kind, usize)| road.0.upon() == Upon::Road && is_gone(gone, road.1);
    // Credentials that are refused end a start, as they should (N7).
    let refuses_starts = |kind, other: Kind| kind == Expired && other.is_upon_a_process();
    let takes_all = |kind| matches!(kind, ConsumersKilled);
    let needs_one = |kind| matches!(kind, ChannelClosed | BackendsKilled | DatabaseReset);
    one.0.is_of_one_realm(other.0)
        || is_blocked(one, other)
        || is_blocked(other, one)
        || refuses_starts(one.0, other.0)
        || refuses_starts(other.0, one.0)
        || takes_all(one.0) && needs_one(other.0)
        || takes_all(other.0) && needs_one(one.0)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn phase(way: Way, seconds: u64) -> Phase {
        Phase { way, seconds, faults: usize::MAX }
    }

    #[test]
    fn a_seed_draws_the_same_faults_again_and_another_draws_others() {
        let drawn = |seed| drawn(seed, &phase(Way::Amqp, 240), Whose::Tegami);
        assert_eq!(drawn(7), drawn(7));
        assert_ne!(drawn(7), drawn(8));
    }

    #[test]
    fn a_long_run_has_thirty_faults_of_more_than_twenty_kinds_and_two_at_once_at_its_end() {
        for seed in 0..100 {
            let rounds = drawn(seed, &phase(Way::Amqp, 240), Whose::Tegami);
            let faults: Vec<_> = rounds.iter().flat_map(|round| &round.faults).collect();
            let kinds: HashSet<_> = faults.iter().map(|fault| fault.kind).collect();
            assert!(faults.len() >= 30 && kinds.len() > 20, "{} of {} kinds", faults.len(), kinds.len());
            for round in rounds.iter().filter(|round| round.at >= Duration::from_secs(160)) {
                let [one, other] = &round.faults[..] else { panic!("two at once: {round:?}") };
                assert!(!one.kind.is_of_one_realm(other.kind), "{round:?}");
            }
        }
    }

    #[test]
    fn the_shortest_run_kills_broker_consumer_and_backends() {
        for seed in 0..100 {
            let quick = Phase { faults: 8, ..phase(Way::Amqp, 56) };
            let kinds: Vec<_> = drawn(seed, &quick, Whose::Tegami).into_iter().flat_map(|round| round.faults).collect();
            assert_eq!(kinds.len(), 8);
            for always in ALWAYS[0] {
                assert!(kinds.iter().any(|fault| fault.kind == *always), "seed {seed}: {always:?} in {kinds:?}");
            }
        }
    }

    #[test]
    fn a_road_is_nobodys_who_is_away() {
        for seed in 0..200 {
            for round in drawn(seed, &phase(Way::Amqp, 240), Whose::Tegami) {
                let [one, other] = &round.faults[..] else { continue };
                for (gone, road) in [(one, other), (other, one)] {
                    let is_away = gone.kind.is_upon_a_process()
                        && (gone.target == road.target || gone.kind == ConsumersKilled && road.target != PUBLISHER);
                    assert!(!is_away || road.kind.upon() != Upon::Road, "{}, {}", gone.name(), road.name());
                }
            }
        }
    }
}
