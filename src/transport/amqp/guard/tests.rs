//! Streams of frames through the guard, cut anywhere. Frames are written by hand and held against the parser.

use std::{
    collections::VecDeque,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use amq_protocol::{
    frame::{AMQPFrame, parse_frame},
    types::{AMQPValue, FieldTable, ShortString},
};
use futures_util::FutureExt;
use tokio::io::{AsyncRead, ReadBuf};
use tokio_util::sync::CancellationToken;

use super::{Guarded, Heard, Returned, frame, returned::Return, table::DEPTH};
use crate::transport::amqp::names::REFUSED;

/// Plays bytes in the given pieces.
struct Pieces(VecDeque<Vec<u8>>);

impl AsyncRead for Pieces {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let Some(mut piece) = self.0.pop_front() else { return Poll::Ready(Ok(())) };
        let rest = piece.split_off(piece.len().min(out.remaining()));
        out.put_slice(&piece);
        if !rest.is_empty() {
            self.0.push_front(rest);
        }
        Poll::Ready(Ok(()))
    }
}

/// What comes out of the guard, and why it ended.
fn guarded(pieces: Vec<Vec<u8>>, room: usize, returned: &Arc<Returned>) -> (Vec<u8>, io::Result<()>) {
    guarded_with(pieces, room, hearing(returned))
}

fn hearing(returned: &Arc<Returned>) -> Heard {
    Heard { returned: Arc::clone(returned), ..Heard::default() }
}

fn guarded_with(pieces: Vec<Vec<u8>>, room: usize, heard: Heard) -> (Vec<u8>, io::Result<()>) {
    let mut stream = Guarded::new(Pieces(pieces.into()), heard);
    let (mut read, mut out) = (Vec::new(), vec![0; room]);
    loop {
        let step = std::future::poll_fn(|cx| futures_io::AsyncRead::poll_read(Pin::new(&mut stream), cx, &mut out));
        match step.now_or_never().expect("the pieces are always ready") {
            Ok(0) => return (read, Ok(())),
            Ok(size) => read.extend(&out[..size]),
            Err(error) => return (read, Err(error)),
        }
    }
}

fn through(bytes: &[u8]) -> Vec<u8> {
    let (read, end) = guarded(vec![bytes.to_vec()], 100_000, &Arc::default());
    end.unwrap();
    read
}

fn refusal(bytes: &[u8]) -> String {
    let (_, end) = guarded(vec![bytes.to_vec()], 100_000, &Arc::default());
    let error = end.expect_err("it was to be refused");
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    error.to_string()
}

fn parse(mut bytes: &[u8]) -> Vec<AMQPFrame> {
    let mut frames = Vec::new();
    while !bytes.is_empty() {
        let (rest, frame) = parse_frame(bytes).expect("the parser reads what passed");
        frames.push(frame);
        bytes = rest;
    }
    frames
}

pub(super) fn table(entries: &[(&[u8], &[u8])]) -> Vec<u8> {
    let entries = entries.iter().map(|(name, value)| [&[name.len() as u8], *name, value].concat());
    entries.collect::<Vec<_>>().concat()
}

fn long(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u32).to_be_bytes(), bytes].concat()
}

fn short(text: &[u8]) -> Vec<u8> {
    [&[text.len() as u8], text].concat()
}

fn text(value: &str) -> Vec<u8> {
    [b"S".to_vec(), long(value.as_bytes())].concat()
}

/// So many arrays in each other, as a value.
pub(super) fn nested_arrays(levels: usize) -> Vec<u8> {
    let lengths = (0..levels).rev().map(|inside| [&b"A"[..], &((inside * 5) as u32).to_be_bytes()].concat());
    lengths.collect::<Vec<_>>().concat()
}

/// So many tables in each other, as a value.
pub(super) fn nested_tables(levels: usize) -> Vec<u8> {
    let head = |inside: usize| [&b"F"[..], &((inside * 7) as u32).to_be_bytes()].concat();
    let entry = |inside: usize| [&b"\x01a"[..], &head(inside)].concat();
    let inner = (0..levels - 1).rev().map(entry);
    [head(levels - 1), inner.collect::<Vec<_>>().concat()].concat()
}

/// A content header with type, header table, delivery mode, message id and time.
fn header(channel: u16, id: &[u8], headers: &[u8], body: u64) -> Vec<u8> {
    let flags = 0b1011_0000_1100_0000_u16.to_be_bytes();
    let fixed = [&[0, 60, 0, 0], &body.to_be_bytes()[..], &flags].concat();
    let payload = [fixed, short(b"text/plain"), long(headers), vec![2], short(id), vec![0, 0, 0, 0, 0, 0, 0, 9]];
    frame::write(frame::HEADER, channel, &payload.concat())
}

fn method(channel: u16, class: u8, method: u8, arguments: &[u8]) -> Vec<u8> {
    frame::write(frame::METHOD, channel, &[&[0, class, 0, method], arguments].concat())
}

fn deliver(channel: u16) -> Vec<u8> {
    method(channel, 60, 60, &[short(b"tag"), vec![0; 8], vec![0], short(b"x"), short(b"key")].concat())
}

fn ack(channel: u16, tag: u64) -> Vec<u8> {
    method(channel, 60, 80, &[&tag.to_be_bytes()[..], &[0]].concat())
}

fn comes_back(channel: u16) -> Vec<u8> {
    comes_back_from(channel, b"", b"nowhere")
}

fn comes_back_from(channel: u16, exchange: &[u8], key: &[u8]) -> Vec<u8> {
    method(channel, 60, 50, &[vec![1, 56], short(b"NO_ROUTE"), short(exchange), short(key)].concat())
}

fn body(channel: u16, size: usize) -> Vec<u8> {
    frame::write(frame::BODY, channel, &vec![0xCE; size])
}

fn start(properties: &[u8]) -> Vec<u8> {
    method(0, 10, 10, &[vec![0, 9], long(properties), long(b"PLAIN"), long(b"en_US")].concat())
}

fn headers_of(bytes: &[u8]) -> FieldTable {
    let frames = parse(bytes);
    let [AMQPFrame::Header(7, header)] = &frames[..] else { panic!("{frames:?}") };
    assert_eq!(header.body_size, 3);
    header.properties.headers().clone().expect("there are headers")
}

fn reason_in(headers: &FieldTable) -> String {
    let Some(AMQPValue::LongString(reason)) = headers.inner().get(REFUSED) else { panic!("{headers:?}") };
    reason.to_string()
}

fn no_route(exchange: &str, routing_key: &str) -> Option<Return> {
    let [text, exchange, routing_key] = ["NO_ROUTE", exchange, routing_key].map(ToOwned::to_owned);
    Some(Return { code: 312, text, exchange, routing_key })
}

/// Takes what [`comes_back`].
fn taken(returned: &Returned, id: &str) -> bool {
    let back = returned.take(id, "", "nowhere");
    assert!(back.is_none() || back == no_route("", "nowhere"), "{back:?}");
    back.is_some()
}

/// Everything that happens to a stream: returns among deliveries on other channels, tables too deep and broken.
/// Answers with what comes in and what is to come out.
fn busy() -> (Vec<u8>, Vec<u8>) {
    let heartbeat = frame::write(8, 0, b"");
    let bomb = header(2, b"bomb", &table(&[(b"a", b"t\x01"), (b"x", &nested_arrays(50))]), 0);
    let bad_id = header(3, b"\xFF", &table(&[(b"a", b"t\x01")]), 0);
    let story = [
        (start(&table(&[(b"product", &text("RabbitMQ"))])), true),
        (deliver(1), true),
        (comes_back(9), false),
        (header(1, b"one", &table(&[(b"a", &text("b"))]), 300), true),
        (body(1, 200), true),
        (header(9, b"lost", b"", 70), false),
        (heartbeat, true),
        (body(9, 50), false),
        (body(1, 100), true),
        (body(9, 20), false),
        (ack(9, 1), true),
        (deliver(2), true),
        (comes_back(8), false),
        (header(8, b"empty", b"", 0), false),
        (ack(8, 2), true),
        (header(8, b"no return", b"", 0), true),
        (body(4, 0), true),
    ];
    let mut sent: Vec<u8> = story.iter().flat_map(|(frame, _)| frame.clone()).collect();
    let mut passed: Vec<u8> = story.iter().filter(|(_, passes)| *passes).flat_map(|(frame, _)| frame.clone()).collect();
    for replaced in [bomb, bad_id] {
        passed.extend(through(&replaced));
        sent.extend(replaced);
    }
    sent.extend(ack(8, 3));
    passed.extend(ack(8, 3));
    (sent, passed)
}

#[test]
fn m1_a_table_of_thirty_two_levels_passes_unchanged() {
    for nested in [nested_arrays(DEPTH - 1), nested_tables(DEPTH - 1)] {
        let frame = header(7, b"id", &table(&[(b"x", &nested)]), 3);
        assert_eq!(through(&frame), frame);
        parse(&frame);
    }
}

#[test]
fn m1_a_deeper_table_is_replaced_by_its_reason_and_what_is_plain_in_it() {
    for levels in [DEPTH, 26_000] {
        for nested in [nested_arrays(levels), nested_tables(levels)] {
            let entries: &[(&[u8], &[u8])] =
                &[(b"before", &text("1")), (b"x", &nested), (b"tegami-attempt", b"I\0\0\0\x02")];
            let frames = parse(&through(&header(7, b"id", &table(entries), 3)));
            let [AMQPFrame::Header(7, header)] = &frames[..] else { panic!("{frames:?}") };
            let headers = header.properties.headers().clone().unwrap();
            assert_eq!(reason_in(&headers), "the header table is nested deeper than 32");
            assert_eq!(headers.inner().len(), 3);
            assert_eq!(headers.inner().get("tegami-attempt"), Some(&AMQPValue::LongInt(2)));
            assert_eq!((header.class_id, header.body_size), (60, 3));
            let properties = &header.properties;
            assert_eq!(properties.content_type(), &Some(ShortString::from("text/plain")));
            assert_eq!(properties.delivery_mode(), &Some(2));
            assert_eq!(properties.message_id(), &Some(ShortString::from("id")));
            assert_eq!(properties.timestamp(), &Some(9));
        }
    }
}

#[test]
fn m1_a_table_that_cannot_be_read_is_replaced_by_what_was_read() {
    let broken: &[(&[u8], &[u8])] = &[(b"a", b"t\x01"), (b"b", b"z"), (b"c", b"t\x01")];
    let headers = headers_of(&through(&header(7, b"id", &table(broken), 3)));
    assert_eq!(reason_in(&headers), "the header table cannot be read");
    assert_eq!(headers.inner().get("a"), Some(&AMQPValue::Boolean(true)));
    assert_eq!(headers.inner().len(), 2);
}

#[test]
fn m1_a_table_longer_than_its_frame_takes_the_properties_after_it_along() {
    let mut frame = header(7, b"id", &table(&[(b"a", b"t\x01")]), 3);
    let length = frame::HEAD + 12 + 2 + 1 + b"text/plain".len();
    frame[length] = 0xFF;
    let headers = headers_of(&through(&frame));
    assert_eq!(reason_in(&headers), "the header table cannot be read");
    assert_eq!(headers.inner().len(), 1);
}

#[test]
fn m1_a_property_that_is_no_text_is_dropped_with_its_reason() {
    let headers = headers_of(&through(&header(7, b"\xFFid", &table(&[(b"a", &nested_arrays(3))]), 3)));
    assert_eq!(reason_in(&headers), "a property is not text");
}

#[test]
fn m1_properties_cut_short_are_kept_as_far_as_they_go() {
    let whole = header(7, b"id", b"", 3);
    let payload = &whole[frame::HEAD..whole.len() - 1];
    for size in 14..payload.len() {
        let headers = headers_of(&through(&frame::write(frame::HEADER, 7, &payload[..size])));
        assert!(reason_in(&headers).ends_with("cannot be read"));
    }
    let too_long = frame::write(frame::HEADER, 7, &[payload, b"more"].concat());
    assert_eq!(reason_in(&headers_of(&through(&too_long))), "the properties cannot be read");
    assert_eq!(
        refusal(&frame::write(frame::HEADER, 7, &payload[..13])),
        "the broker sent a content header that is too short"
    );
}

#[test]
fn m1_a_replaced_frame_is_no_longer_than_what_was_agreed_on() {
    let plain = text(&"v".repeat(120_000));
    let frame = header(7, b"id", &table(&[(b"a", &plain), (b"\xFF", b"V")]), 3);
    let out = through(&frame);
    assert!(out.len() <= frame.len());
    assert_eq!(reason_in(&headers_of(&out)), "the header table cannot be read");
}

#[test]
fn m1_many_and_large_headers_pass_unchanged() {
    let names: Vec<String> = (0..1_000).map(|n| format!("header-{n}")).collect();
    let value = text("v");
    let many: Vec<(&[u8], &[u8])> = names.iter().map(|name| (name.as_bytes(), &value[..])).collect();
    let large = text(&"v".repeat(120_000));
    for headers in [table(&many), table(&[(b"large", &large)])] {
        let stream = [deliver(7), header(7, b"id", &headers, 3), body(7, 3)].concat();
        assert_eq!(through(&stream), stream);
    }
}

#[test]
fn m1_a_broker_with_deep_properties_is_refused() {
    let deep = start(&table(&[(b"capabilities", &nested_tables(DEPTH))]));
    assert_eq!(refusal(&deep), "the broker's properties are nested deeper than 32");
    assert_eq!(refusal(&start(&table(&[(b"x", b"z")]))), "the broker's properties cannot be read");
    let fine = start(&table(&[(b"capabilities", &nested_tables(DEPTH - 1))]));
    assert_eq!(through(&fine), fine);
}

#[test]
fn m2_returns_are_taken_out_and_told_by_message_id() {
    let (sent, passed) = busy();
    let returned = Arc::default();
    let (read, end) = guarded(vec![sent], 100_000, &returned);
    end.unwrap();
    assert_eq!(read, passed);
    parse(&read);
    assert!(taken(&returned, "lost") && taken(&returned, "empty"));
    assert!(!taken(&returned, "one") && !taken(&returned, "no return"));
}

#[test]
fn m2_a_return_says_where_its_message_was_to_go() {
    let copy = header(9, b"copied", b"", 0);
    let sent = [comes_back_from(9, b"", b"billing-retry-1"), copy.clone(), comes_back_from(9, b"shop", b"paid"), copy];
    let returned = Arc::default();
    let (read, end) = guarded(vec![sent.concat()], 100, &returned);
    end.unwrap();
    assert_eq!(read, Vec::<u8>::new());
    assert_eq!(returned.take("copied", "", "shipping-retry-1"), None);
    assert_eq!(returned.take("copied", "shop", "paid"), no_route("shop", "paid"));
    assert_eq!(returned.take("copied", "", "billing-retry-1"), no_route("", "billing-retry-1"));
}

#[test]
fn m2_a_return_cut_short_is_refused_and_one_that_is_no_text_is_nobodys() {
    let whole = comes_back_from(9, b"shop", b"paid");
    let payload = &whole[frame::HEAD..whole.len() - 1];
    for size in 4..payload.len() {
        let cut = frame::write(frame::METHOD, 9, &payload[..size]);
        assert_eq!(refusal(&cut), "the broker sent a broken return", "cut to {size}");
    }
    let returned = Arc::default();
    let sent = [
        comes_back_from(9, b"\xFF", b"nowhere\xC3"),
        header(9, b"odd", b"", 0),
        comes_back(9),
        header(9, b"odd", b"", 0),
    ];
    let (_, end) = guarded(vec![sent.concat()], 100, &returned);
    end.unwrap();
    assert!(taken(&returned, "odd") && !taken(&returned, "odd"));
}

#[test]
fn m2_a_return_is_known_before_its_confirm_passes() {
    let (confirm, returned) = (ack(9, 1), Arc::<Returned>::default());
    let sent = [comes_back(9), header(9, b"lost", b"", 0), confirm.clone()].concat();
    let mut stream = Guarded::new(Pieces(VecDeque::from([sent])), hearing(&returned));
    let mut out = [0];
    let step = std::future::poll_fn(|cx| futures_io::AsyncRead::poll_read(Pin::new(&mut stream), cx, &mut out));
    assert_eq!(step.now_or_never().unwrap().unwrap(), 1);
    assert_eq!(out[0], confirm[0]);
    assert!(taken(&returned, "lost"));
}

#[test]
fn m2_a_return_without_message_id_is_dropped() {
    let bare = frame::write(frame::HEADER, 9, &[&[0, 60, 0, 0][..], &5_u64.to_be_bytes(), &[0, 0]].concat());
    let returned = Arc::default();
    let (read, end) = guarded(vec![[comes_back(9), bare, body(9, 5)].concat()], 100, &returned);
    end.unwrap();
    assert_eq!(read, Vec::<u8>::new());
}

#[test]
fn m2_a_bomb_that_comes_back_is_matched_too() {
    let bomb = header(9, b"bomb", &table(&[(b"x", &nested_tables(26_000))]), 0);
    let returned = Arc::default();
    let (read, end) = guarded(vec![[comes_back(9), bomb].concat()], 100, &returned);
    end.unwrap();
    assert_eq!((read, taken(&returned, "bomb")), (Vec::new(), true));
}

#[test]
fn m2_a_stream_cut_at_any_byte_comes_out_the_same() {
    let (sent, passed) = busy();
    for cut in 0..sent.len() {
        let returned = Arc::default();
        let (read, end) = guarded(vec![sent[..cut].to_vec(), sent[cut..].to_vec()], 100_000, &returned);
        // An empty piece reads as the end.
        if cut > 0 {
            end.unwrap();
            assert!(read == passed, "cut at {cut}");
            assert!(taken(&returned, "lost"));
        }
    }
}

#[test]
fn m2_a_stream_in_pieces_of_any_size_comes_out_the_same() {
    let mut dice = fastrand::Rng::with_seed(11);
    let (busy, passed) = busy();
    let large = [deliver(5), header(5, b"big", b"", 200_000), body(5, 131_000), body(5, 69_000)].concat();
    let (sent, passed) = ([busy.clone(), large.clone(), busy].concat(), [passed.clone(), large, passed].concat());
    for _ in 0..40 {
        let longest = [3, 40, 3_000, 90_000][dice.usize(..4)];
        let (mut rest, mut pieces) = (&sent[..], Vec::new());
        while !rest.is_empty() {
            let (piece, left) = rest.split_at((1 + dice.usize(..longest)).min(rest.len()));
            pieces.push(piece.to_vec());
            rest = left;
        }
        let (read, end) = guarded(pieces, 1 + dice.usize(..longest), &Arc::default());
        end.unwrap();
        assert!(read == passed);
    }
}

#[test]
fn m2_a_broker_that_closes_amid_a_return_ends_it() {
    let returned = Arc::default();
    let close = method(9, 20, 40, &[vec![1, 56], short(b"why"), vec![0, 60, 0, 40]].concat());
    let stream = [comes_back(9), close.clone(), deliver(9), header(9, b"next", b"", 2), body(9, 2)].concat();
    let (read, end) = guarded(vec![stream.clone()], 100_000, &returned);
    end.unwrap();
    assert_eq!(read, stream[comes_back(9).len()..]);
    assert!(!taken(&returned, "next"));
}

#[test]
fn n1_what_is_no_frame_is_refused() {
    let mut endless = ack(1, 1);
    *endless.last_mut().unwrap() = 0;
    assert_eq!(refusal(&endless), "the broker sent a frame without its end");
    let mut endless = body(1, 10);
    *endless.last_mut().unwrap() = 0;
    assert_eq!(refusal(&endless), "the broker sent a frame without its end");
    assert_eq!(refusal(b"HTTP/1.1 400 Bad Request\r\n"), "what the broker sent is not AMQP 0-9-1");
    assert_eq!(refusal(&[2, 0, 1, 0, 0x10, 0, 1]), "the broker sent a frame that is too long");
    assert_eq!(refusal(&[comes_back(9), body(9, 5)].concat()), "the broker sent a body without its header");
}

#[test]
fn n1_a_broker_of_another_version_may_say_so() {
    let pieces = vec![b"AM".to_vec(), b"QP\0\0\x09\x01".to_vec()];
    let (read, end) = guarded(pieces, 100, &Arc::default());
    end.unwrap();
    assert_eq!(read, b"AMQP\0\0\x09\x01");
}

#[test]
fn n1_an_end_inside_of_a_frame_is_an_error() {
    for frame in [header(1, b"id", b"", 5), body(1, 5)] {
        for cut in 1..frame.len() {
            let (_, end) = guarded(vec![frame[..cut].to_vec()], 100, &Arc::default());
            assert_eq!(end.unwrap_err().kind(), io::ErrorKind::UnexpectedEof, "cut at {cut}");
        }
    }
}

#[test]
fn l2_a_channel_that_the_broker_ends_is_told_at_once_and_no_other() {
    let method = |channel, class, method| frame::write(frame::METHOD, channel, &[0, class, 0, method]);
    // A close, and the end of a consumer; beside them the answers to ours, and a delivery.
    for (class, end) in [(20, 40), (60, 30)] {
        let heard = Heard::default();
        let [ends, goes_on] = [3, 4].map(|channel| {
            let lost = CancellationToken::new();
            heard.ended.watch(channel, lost.clone());
            lost
        });
        let pass = |sent: Vec<u8>| {
            let (read, end) = guarded_with(vec![sent.clone()], 100, heard.clone());
            end.unwrap();
            assert_eq!(read, sent, "the client learns of it, too");
        };
        pass([method(3, 20, 41), method(3, 60, 31), method(3, 60, 60), method(5, class, end)].concat());
        assert!(!ends.is_cancelled());
        pass(method(3, class, end));
        assert!(ends.is_cancelled() && !goes_on.is_cancelled(), "{class} {end}");
        let next = CancellationToken::new();
        heard.ended.watch(3, next.clone());
        assert!(!next.is_cancelled(), "another channel with its number");
        pass(method(3, class, end));
        assert!(next.is_cancelled());
    }
}
