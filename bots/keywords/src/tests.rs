//! Tests the whole bot on the test kit's clock.
