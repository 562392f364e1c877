use tegami_ui_tests::contracts::shop::orders::v1::OrderPaid;

fn main() {
    let _ = OrderPaid::builder().currency("EUR").build();
}
