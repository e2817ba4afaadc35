//! Journeys, named by what a person does, each on the real application and a real Postgres.

#[cfg(test)]
#[path = "../support/mod.rs"]
mod support;

#[cfg(test)]
mod a_broken_request_is_explained;
#[cfg(test)]
mod a_bundle_is_sent;
#[cfg(test)]
mod a_central_server_receives;
#[cfg(test)]
mod a_configuration_is_checked;
#[cfg(test)]
mod a_demo_is_killed;
#[cfg(test)]
mod a_destination_is_renamed;
#[cfg(test)]
mod a_gp_system_submits_a_patient;
#[cfg(test)]
mod a_machine_has_nothing;
#[cfg(test)]
mod a_message_is_quarantined;
#[cfg(test)]
mod a_message_is_sent_twice;
#[cfg(test)]
mod a_partner_takes_nothing;
#[cfg(test)]
mod a_patient_reaches_the_hospital;
#[cfg(test)]
mod a_poisoned_batch;
#[cfg(test)]
mod a_refusal_is_final;
#[cfg(test)]
mod a_sender_waits_for_the_answer;
#[cfg(test)]
mod a_sudden_load;
#[cfg(test)]
mod a_terminology_server_is_asked;
#[cfg(test)]
mod adapter_contract;
#[cfg(test)]
mod an_analyst_works_with_hl7;
#[cfg(test)]
mod an_engineer_at_the_command_line;
#[cfg(test)]
mod an_operator_is_added;
#[cfg(test)]
mod an_unknown_outcome;
#[cfg(test)]
mod clients_misbehave;
#[cfg(test)]
mod compose;
#[cfg(test)]
mod conditions_are_never_ignored;
#[cfg(test)]
mod each_test_has_a_database_of_its_own;
#[cfg(test)]
mod exchanges_are_found;
#[cfg(test)]
mod golden_cases_are_tried;
#[cfg(test)]
mod hl7_cases_are_read;
#[cfg(test)]
mod hl7_comes_in_by_mllp;
#[cfg(test)]
mod hl7_from_everywhere;
#[cfg(test)]
mod hl7_goes_through_tls;
#[cfg(test)]
mod hl7_is_passed_on;
#[cfg(test)]
mod hl7_with_foreign_partners;
#[cfg(test)]
mod limits_per_source;
#[cfg(test)]
mod old_bodies_are_dropped;
#[cfg(test)]
mod order_is_kept_per_patient;
#[cfg(test)]
mod our_postgres_ends;
#[cfg(test)]
mod packages_are_compared;
#[cfg(test)]
mod packages_are_pinned;
#[cfg(test)]
mod pages_in_a_browser;
#[cfg(test)]
mod people_sign_in;
#[cfg(test)]
mod postgres_is_fetched_where_there_is_none;
#[cfg(test)]
mod roles_at_the_pages;
#[cfg(test)]
mod shutdown_is_graceful;
#[cfg(test)]
mod somebody_looks_for_a_message;
#[cfg(test)]
mod sources_are_held_to_their_guides;
#[cfg(test)]
mod sources_prove_themselves;
#[cfg(test)]
mod strangers_are_counted;
#[cfg(test)]
mod the_answer_to_a_commit_is_lost;
#[cfg(test)]
mod the_books_are_balanced;
#[cfg(test)]
mod the_database_goes_away;
#[cfg(test)]
mod the_database_is_found_and_started;
#[cfg(test)]
mod the_demos_partners;
#[cfg(test)]
mod the_first_page_is_live;
#[cfg(test)]
mod the_gateway_is_killed;
#[cfg(test)]
mod the_gateway_is_killed_under_hl7;
#[cfg(test)]
mod the_gateway_is_watched;
#[cfg(test)]
mod the_partner_is_down;
#[cfg(test)]
mod the_register_cannot_be_changed;
#[cfg(test)]
mod wrong_turns_at_the_pages;
