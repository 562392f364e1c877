//! Messages of a stranger who writes what no client would: each is handled or kept, once, and harms nobody else.

mod cases;
mod shapes;

on_each_release! {
    "R-05A" cases r5_what_a_stranger_writes_is_handled_or_kept_once,
    "R-05B" cases r5_a_stranger_parks_no_message_for_ever,
    "R-05C" cases r5_what_comes_too_early_waits_also_where_it_is,
}
