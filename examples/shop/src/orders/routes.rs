//! The shop's counter: orders come in over HTTP.

use tegami::{
    error::BoxError,
    http::{
        Event, Problem,
        axum::{
            Router,
            extract::State,
            http::{StatusCode, header::CONTENT_TYPE},
            response::IntoResponse,
            routing::{get, post},
        },
    },
    store::Undecided,
};

use super::{Orders, contracts::shop::orders::v1::OrderPlaced, sales};

pub fn routes() -> Router<Orders> {
    Router::new().route("/orders", post(place)).route("/sales", get(show))
}

/// An order that is answered with 201 is recorded, whatever happens next. Ask again if there is no answer.
async fn place(State(orders): State<Orders>, Event(order): Event<OrderPlaced>) -> Result<StatusCode, Problem> {
    match orders.place(order).await {
        Ok(()) => Ok(StatusCode::CREATED),
        Err(Undecided::Refused(reason)) => Err(Problem::new(StatusCode::CONFLICT, reason)),
        Err(Undecided::Store(error)) if error.is_transient() => Err(away(error.into())),
        Err(Undecided::Store(error)) => Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, error.to_string())),
    }
}

async fn show(State(orders): State<Orders>) -> Result<impl IntoResponse, Problem> {
    let found = sales::read(&orders.db).await.map_err(away)?;
    Ok(([(CONTENT_TYPE, "application/json")], found))
}

fn away(error: BoxError) -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string())
}
