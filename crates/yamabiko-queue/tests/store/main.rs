//! One suite over both stores, and over the model that judges them.
#![cfg(test)]

mod backup;
mod crash;
mod damage;
mod dump;
mod faulty;
mod gate;
mod ground;
mod inspect;
mod leftovers;
mod model;
mod on_a_redis;
mod place;
mod poison;
mod random;
mod redis_server;
mod refusals;
mod remembered;
mod schema;
mod rules {
    pub(crate) mod bounds;
    pub(crate) mod claims;
    pub(crate) mod clock;
    pub(crate) mod commit;
    pub(crate) mod groups;
    pub(crate) mod lanes;
    pub(crate) mod loans;
    pub(crate) mod people;
    pub(crate) mod quiet;
    pub(crate) mod refused;
    pub(crate) mod retention;
    pub(crate) mod revoked;
    pub(crate) mod timers;
    pub(crate) mod unique;
    pub(crate) mod upgrade;
    pub(crate) mod wake;
}

/// Runs every rule on each store; a rule that is not listed is dead code, and fails the build.
///
/// The model has nobody to wake, so rules of waking concern the stores alone.
macro_rules! conformance {
    (everywhere { $($rules:tt)+ } stores { $($waking:tt)+ }) => {
        conformance!(@store on_model Model; $($rules)+);
        conformance!(@store on_sqlite Sqlite; $($rules)+ $($waking)+);
        conformance!(@store on_redis Redis; $($rules)+ $($waking)+);
        conformance!(@store on_newest_redis RedisNewest; $($rules)+ $($waking)+);
    };
    (@store $store:ident $kind:ident; $($topic:ident: $($rule:ident),+ $(,)?;)+) => {
        mod $store { $( mod $topic { $(
            #[tokio::test]
            async fn $rule() {
                crate::rules::$topic::$rule(crate::place::Kind::$kind).await;
            }
        )+ } )+ }
    };
}

conformance! { everywhere {
    lanes:
        l1_jobs_of_one_lane_in_two_queues_never_run_together,
        l2_one_job_of_a_lane_runs_and_the_others_follow_in_order,
        l2_a_waiting_job_that_is_cancelled_leaves_the_line,
        l2_jobs_stored_in_one_step_stand_in_their_order,
        l2_ready_jobs_keep_their_order_when_others_among_them_leave,
        l2_a_long_line_that_most_have_left_keeps_its_order,
        l2_an_id_that_comes_back_stands_at_the_tail_of_the_line_that_it_left,
        l4_a_retry_without_hold_joins_the_tail_of_its_lane,
        l4_a_retry_that_holds_keeps_its_lane,
        l4_a_snooze_keeps_its_lane_only_if_it_holds,
        l4_a_dead_job_releases_its_lane,
        l4_a_rerun_by_a_person_joins_the_tail,
        l4_a_scheduled_job_that_holds_its_lane_runs_when_a_person_says_so,
        l4_a_cancelled_job_that_holds_its_lane_passes_it_on,
        l5_each_lane_has_one_job_among_the_ready;
    loans:
        o8_jobs_that_may_pass_run_one_at_a_time_while_the_lender_waits,
        o8_only_those_pass_that_have_time_left_and_another_origin,
        o8_a_lender_that_keeps_its_lane_lends_it_to_nobody,
        o8_a_lender_that_is_due_goes_before_the_next_in_line,
        o8_a_job_that_gives_its_lane_back_waits_in_its_place,
        o8_a_job_gives_its_lane_back_to_a_lender_that_is_due_or_gone,
        o8_a_job_with_a_lane_of_its_own_keeps_it_when_it_gives_it_back,
        o8_the_lane_returns_to_the_lender_however_the_borrower_ends,
        o8_a_lender_that_is_cancelled_leaves_the_lane_to_its_borrower,
        o8_a_lender_whose_group_is_cancelled_leaves_the_lane,
        o8_a_lender_that_a_person_runs_now_goes_first,
        o8_a_borrower_keeps_the_lane_until_it_is_settled,
        o8_an_exchange_sent_again_shows_what_is_on_loan,
        o8_a_clock_that_is_set_back_keeps_the_lane_with_its_lender;
    claims:
        c1_a_run_of_an_older_turn_changes_nothing,
        c1_every_turn_that_claims_has_a_token_of_its_own,
        c2_a_beat_extends_a_lease_and_tells_what_was_lost,
        c2_a_beat_does_not_extend_a_cancelled_run,
        c2_a_dead_processes_claim_comes_back_after_exactly_one_lease,
        c2_lost_claims_stand_at_the_front_in_order,
        c3_a_handle_that_has_just_started_lets_one_lease_pass,
        c3_two_seconds_without_a_tick_let_a_lease_pass,
        c3_an_outage_of_any_length_ends_no_claim,
        c3_a_tick_that_failed_lets_a_lease_pass,
        c4_a_lost_claim_is_counted_apart_from_failures,
        c4_lost_claims_are_counted_anew_after_a_checkpoint,
        c4_a_stop_and_a_snooze_count_nothing,
        c4_a_store_makes_no_job_dead_by_itself,
        c5_a_turn_sent_again_is_lost_and_changes_nothing,
        c5_every_outcome_may_be_sent_again,
        c5_claims_whose_answer_was_lost_come_back_after_the_lease,
        c5_beat_tick_and_cancel_may_be_sent_again,
        c5_an_exchange_sent_again_is_answered_with_the_claims_that_stand,
        c5_an_exchange_sent_again_claims_nothing_new,
        c5_an_exchange_sent_again_does_not_show_what_was_cancelled_or_lost,
        c5_an_exchange_that_comes_after_a_later_one_of_its_line_does_nothing,
        c5_a_beat_extends_what_awaited_exchanges_claimed,
        c5_claims_that_their_worker_releases_are_as_if_never_claimed,
        c5_an_exchange_that_arrives_after_its_release_claims_nothing,
        c5_a_line_is_remembered_for_a_day,
        c6_wants_are_served_in_their_order;
    commit:
        k1_completion_and_effects_are_one_step,
        k1_effects_may_undo_each_other_within_a_turn,
        k1_a_run_cannot_cancel_itself_by_an_effect,
        k3_limits_are_refused_before_anything_is_stored,
        k3_a_turn_of_384_commits_and_effects_with_large_payloads_is_taken,
        k3_a_turn_of_257_commits_is_refused_whole,
        k3_a_turn_of_many_commits_with_many_effects_is_refused_whole,
        k6_a_checkpoint_commits_its_effects_and_replaces_the_payload,
        k6_a_second_arrival_of_a_checkpoint_changes_nothing,
        k6_a_run_whose_checkpoints_are_missing_has_lost_its_job,
        s1_state_comes_with_the_claim_and_is_written_by_the_run,
        s1_a_laneless_run_writes_no_state,
        i4_scrubbing_concerns_ended_jobs_of_the_chat_and_origin_alone,
        o5_an_effect_pauses_a_queue_for_all_workers,
        d1_a_failure_is_counted_noted_and_retried_at_its_time,
        o3_an_unsure_end_is_remembered;
    unique:
        k5_an_id_that_exists_is_a_duplicate,
        k5_a_completed_id_is_remembered_for_its_time_and_a_quarter_at_most,
        k5_an_id_that_is_not_to_be_remembered_is_free_at_once,
        k5_cancelled_and_deleted_ids_are_remembered,
        k5_a_duplicate_among_effects_changes_nothing,
        k5_a_rerun_job_is_remembered_from_its_new_end,
        i2_a_duplicate_refreshes_a_job_that_nobody_has_claimed;
    revoked:
        i5_a_job_whose_origin_was_revoked_ends_where_it_would_be_claimed,
        i5_what_waited_or_was_to_come_when_its_origin_was_revoked_ends_too,
        i5_a_revoked_origin_is_remembered_for_a_day;
    timers:
        t1_a_timer_fires_at_its_microsecond_and_never_before,
        t1_beyond_ten_years_is_refused_whole,
        t1_due_jobs_are_made_ready_in_their_order,
        t2_a_turn_makes_due_jobs_ready_50_ms_later,
        t2_a_tick_takes_at_most_128_due_jobs,
        t2_a_tick_returns_at_most_64_claims,
        t2_a_tick_is_idempotent,
        t2_next_names_the_nearest_moment,
        t3_the_given_time_counts,
        t3_a_past_due_time_is_now;
    people:
        d4_a_running_job_that_is_cancelled_is_marked_and_ends_with_its_commit,
        d4_a_cancelled_run_ends_at_its_checkpoint_too,
        d4_a_cancelled_run_that_never_reports_ends_with_its_lease,
        s3_live_jobs_are_found_by_their_chat,
        q4_lists_are_in_order_and_continue,
        q4_lists_are_narrowed_by_queue_lane_chat_and_kind,
        counts_say_what_there_is,
        retry_takes_dead_and_scheduled_jobs_alone,
        delete_takes_dead_and_completed_jobs_alone,
        o5_a_longer_pause_stands,
        o5_a_pause_ends_by_itself,
        r4_a_job_is_in_exactly_one_place;
    clock:
        t3_a_clock_set_back_holds_delays_retries_and_snoozes_up_for_their_length_only,
        t3_a_clock_set_back_leaves_moments_where_they_are,
        t3_what_was_set_before_the_clock_was_wrong_keeps_its_time,
        t3_a_clock_set_back_lets_a_claim_end_after_one_lease,
        t3_a_clock_set_back_holds_a_pause_up_for_its_length_only,
        t3_a_worker_whose_clock_was_set_back_needs_no_timer_role,
        t3_a_tick_sets_256_delays_right_and_comes_again_at_once;
    retention:
        d3_a_dead_job_keeps_payload_and_history_until_retention,
        d3_completed_jobs_are_kept_within_both_limits,
        d3_dead_jobs_are_kept_up_to_a_number_the_newest_of_them,
        d3_credentials_are_erased_when_a_job_ends,
        d3_history_keeps_the_newest_4096_bytes;
    groups:
        i4_all_jobs_of_a_chat_end_with_one_commit_however_many,
        i4_ticks_take_out_a_cancelled_group_a_part_each,
        i4_a_cancelled_group_spares_what_is_stored_after_it,
        i4_a_cancelled_group_spares_what_arrived_later_than_told,
        i4_a_cancelled_group_goes_by_the_clock_of_what_started_the_jobs,
        i4_a_cancelled_group_has_one_kind_or_origin_or_all_but_a_kind,
        i4_a_cancelled_group_hands_its_lanes_on,
        i4_a_lane_goes_on_behind_all_of_a_cancelled_group,
        i4_several_groups_of_a_chat_end_one_after_the_other,
        k5_the_ids_of_a_cancelled_group_are_remembered;
    bounds:
        k3_a_turn_claims_at_most_256_jobs_in_the_order_of_its_wants,
        k3_a_payload_of_any_size_comes_back_as_it_was,
        k3_large_jobs_are_claimed_in_their_order,
        i4_scrubbing_reaches_all_however_many_are_kept,
        s3_live_jobs_are_found_however_many,
        s3_10_000_live_jobs_of_a_chat_are_found,
        people_may_ask_for_any_number_of_jobs_at_once,
        t1_a_due_time_too_far_away_is_refused_with_all_before_it,
        q4_a_list_shows_large_jobs_page_by_page;
} stores {
    wake:
        w1_new_work_ends_a_wait,
        w1_work_that_came_before_the_wait_is_not_missed,
        w1_a_freed_lane_ends_a_wait,
        w1_an_effect_a_release_and_a_resume_end_a_wait,
        w1_an_earlier_timer_ends_the_wait_for_timers,
        w1_other_handles_hear_of_work,
        w1_a_turn_that_leaves_jobs_has_its_worker_woken,
        w1_a_wait_with_nothing_to_do_lasts;
    upgrade:
        q3_a_process_that_meets_a_newer_schema_is_refused_every_step_and_changes_nothing,
        q3_a_store_that_went_back_to_an_older_schema_is_unavailable;
    refused:
        c5_a_commit_that_the_store_refuses_fails_alone,
        c5_a_job_whose_word_is_refused_too_dies_without_it,
        c5_a_job_that_cannot_be_ended_is_left_and_stops_no_other,
        c5_a_refused_checkpoint_ends_its_job,
        c5_a_store_that_refuses_everything_for_a_while_costs_no_job,
        c5_what_a_damaged_store_cannot_take_is_kept_and_all_else_is_made,
        c5_an_exchange_that_failed_half_way_is_given_up_and_taken_apart;
    quiet:
        w1_a_turn_a_tick_and_a_look_without_work_write_nothing,
        q4_a_search_looks_at_10_000_records_and_continues;
}}
