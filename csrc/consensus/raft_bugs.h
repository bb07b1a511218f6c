/* Planted bugs of Raft: rules of the protocol that are left out, one at a time. Each row says which promise
 * it breaks and parameters of the model that show it; the list of the core and of the model is this one. */
#ifndef DISTLAB_CONSENSUS_RAFT_BUGS_H
#define DISTLAB_CONSENSUS_RAFT_BUGS_H

/* X(CODE, name, doc, broken promise, scope) */
#define DLAB_RAFT_BUGS(X)                                                                                    \
    X(NONE, "none", "Raft as it should be.", NULL, NULL)                                                     \
    X(COMMIT_OLD_TERM, "commit_old_term_by_count",                                                           \
      "An entry of an earlier term is committed by counting replicas (the paper, figure 8).",                \
      "leader completeness", "")                                                                             \
    X(VOTE_NOT_PERSISTED, "vote_not_persisted",                                                              \
      "Term and vote are not written to disk before the answer leaves.", "election safety", "")              \
    X(SKIP_UP_TO_DATE, "skip_log_up_to_date_check", "A vote is granted to any candidate, whatever its log.", \
      "leader completeness", "")                                                                             \
    X(LENGTH_BEFORE_TERM, "log_length_before_term",                                                          \
      "Logs are compared by length first and by the term of the last entry second.", "leader completeness",  \
      "")                                                                                                    \
    X(STALE_TERM_APPEND, "accept_stale_term_append",                                                         \
      "Appends and heartbeats of a deposed leader are accepted.", "log matching", "")                        \
    X(TRUNCATE_ALWAYS, "truncate_on_delayed_append",                                                         \
      "Any append cuts the log behind its previous entry, also one that is late and agrees.",                \
      "no committed entry is removed", "")                                                                   \
    X(APPLY_BEFORE_COMMIT, "apply_before_commit", "Entries are applied as soon as they are in the log.",     \
      "applied <= commit <= last", "")                                                                       \
    X(READ_WITHOUT_QUORUM, "read_index_without_quorum",                                                      \
      "ReadIndex does not ask a majority whether the leader still leads.", "linearizable", "")               \
    X(READ_BEFORE_COMMIT, "read_index_before_first_commit",                                                  \
      "ReadIndex is served before an entry of the leader's own term is committed.", "linearizable", "")      \
    X(LEASE_WITHOUT_MARGIN, "lease_without_drift_margin",                                                    \
      "A leader's lease is as long as the election timeout, however clocks drift.", "linearizable", "")      \
    X(OVERLAPPING_CHANGE, "overlapping_membership_change",                                                   \
      "A change of members may begin before the last one, and an entry of the term, is committed.",          \
      "leader completeness", "")                                                                             \
    X(SNAPSHOT_DROPS_CONFIG, "snapshot_drops_config", "A snapshot forgets who the members are.",             \
      "leader completeness", "")                                                                             \
    X(SNAPSHOT_KEEPS_SUFFIX, "snapshot_keeps_conflicting_suffix",                                            \
      "An installed snapshot keeps entries behind it that belong to another log.", "log matching", "")       \
    X(HEARTBEAT_COMMIT, "heartbeat_commit_not_clamped",                                                      \
      "A heartbeat carries the leader's commit index, whatever the follower is known to hold.",              \
      "state machine safety", "")                                                                            \
    X(ACK_OF_TRUNCATED, "late_ack_of_truncated_entry",                                                       \
      "The end of an asynchronous write is acknowledged although its entry was cut and replaced meanwhile.", \
      "leader completeness", "")                                                                             \
    X(NO_SESSION, "retry_without_session", "A command sent twice is executed twice.",                        \
      "a command is executed once", "")                                                                      \
    X(LEARNER_NEVER_VOTES, "promoted_learner_never_votes",                                                   \
      "A learner that was promoted does not stand for election.", "progress", "")                            \
    X(PRE_VOTE_ALONE, "pre_vote_without_quorum_check",                                                       \
      "With pre-votes a leader that nobody answers leads on: the quorum check is missing.", "progress", "")  \
    X(TORN_TAIL, "torn_tail_taken_as_durable",                                                               \
      "After a restart the log's tail is believed without a look at its checksums.", "log matching", "")

#endif
