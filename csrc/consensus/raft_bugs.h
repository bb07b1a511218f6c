/* Planted bugs of Raft: rules of the protocol that are left out, one at a time. Each row says which promise
 * it breaks and parameters of the model that show it; the list of the core and of the model is this one. */
#ifndef DISTLAB_CONSENSUS_RAFT_BUGS_H
#define DISTLAB_CONSENSUS_RAFT_BUGS_H

/* X(CODE, name, doc, broken promise, scope). In a scope fast elections and short faults make many of the
 * situations that a bug needs; reps so many that it is seen several times over. */
#define DLAB_RAFT_BUGS(X)                                                                                    \
    X(NONE, "none", "Raft as it should be.", NULL, NULL)                                                     \
    X(COMMIT_OLD_TERM, "commit_old_term_by_count",                                                           \
      "An entry of an earlier term is committed by counting replicas (the paper, figure 8).",                \
      "leader completeness",                                                                                 \
      "nodes=3 clients=0 batch=1 pipeline=1 election_timeout=.01 election_spread=.005 "                      \
      "heartbeat_interval=.008 pre_vote=false delay=2ms loss=.5 fsync=0 crash_rate=3 "                       \
      "restart=exponential(10ms) partition_rate=30 partition=exponential(30ms) pause_rate=2 "                \
      "pause=exponential(20ms) duration=3 heal_time=0 reps=120")                                             \
    X(VOTE_NOT_PERSISTED, "vote_not_persisted",                                                              \
      "Term and vote are not written to disk before the answer leaves; after a restart the log alone tells " \
      "the term.",                                                                                           \
      "election safety",                                                                                     \
      "nodes=3 clients=0 election_timeout=.02 election_spread=.06 heartbeat_interval=.008 pre_vote=false "   \
      "check_quorum=false delay=4ms loss=.3 fsync=0 crash_rate=20 restart=exponential(1ms) "                 \
      "partition_rate=20 partition=exponential(50ms) duration=3 heal_time=0 reps=40")                        \
    X(SKIP_UP_TO_DATE, "skip_log_up_to_date_check", "A vote is granted to any candidate, whatever its log.", \
      "leader completeness", "crash_rate=1 partition_rate=1 loss=.05 duration=5 heal_time=0 reps=30")        \
    X(LENGTH_BEFORE_TERM, "log_length_before_term",                                                          \
      "Logs are compared by length first and by the term of the last entry second.", "leader completeness",  \
      "nodes=3 batch=1 pipeline=1 election_timeout=.01 election_spread=.005 heartbeat_interval=.008 "        \
      "pre_vote=false check_quorum=false delay=exponential(1ms) loss=.3 crash_rate=2 "                       \
      "restart=exponential(30ms) partition_rate=2 partition=exponential(400ms) retry_timeout=.01 "           \
      "duration=3 heal_time=0 reps=80")                                                                      \
    X(STALE_TERM_APPEND, "accept_stale_term_append",                                                         \
      "Appends and heartbeats of a deposed leader are accepted.", "no committed entry is removed",           \
      "nodes=3 pipeline=1 election_timeout=.02 election_spread=.005 heartbeat_interval=.004 pre_vote=false " \
      "delay=exponential(1ms) loss=.1 fsync=0 client_rate=1000 clients=5 pause_rate=5 "                      \
      "pause=exponential(150ms) partition_rate=2 duration=3 heal_time=0 reps=40")                            \
    X(TRUNCATE_ALWAYS, "truncate_on_delayed_append",                                                         \
      "Any append cuts the log behind its previous entry, also one that is late and agrees.",                \
      "applied <= commit <= last",                                                                           \
      "partition_rate=2 loss=.1 duplicate=.2 reorder=.3 delay=exponential(10ms) duration=5 heal_time=0 "     \
      "reps=20")                                                                                             \
    X(APPLY_BEFORE_COMMIT, "apply_before_commit", "Entries are applied as soon as they are in the log.",     \
      "applied <= commit <= last", "duration=2 heal_time=0 reps=10")                                         \
    X(READ_WITHOUT_QUORUM, "read_index_without_quorum",                                                      \
      "ReadIndex does not ask a majority whether the leader still leads.", "linearizable",                   \
      "nodes=3 check_quorum=false election_timeout=.02 election_spread=.01 heartbeat_interval=.004 "         \
      "delay=200us fsync=0 partition_rate=5 partition=exponential(200ms) keys=1 clients=40 client_rate=400 " \
      "read_fraction=.9 retry_timeout=.02 duration=2 heal_time=0 reps=20")                                   \
    X(READ_BEFORE_COMMIT, "read_index_before_first_commit",                                                  \
      "ReadIndex is served before an entry of the leader's own term is committed.", "linearizable",          \
      "crash_rate=2 partition_rate=3 loss=.2 duplicate=.1 reorder=.2 restart=exponential(200ms) "            \
      "partition=exponential(300ms) duration=5 heal_time=0 reps=120")                                        \
    X(LEASE_WITHOUT_MARGIN, "lease_without_drift_margin",                                                    \
      "A leader's lease is as long as the election timeout, however clocks drift.", "linearizable",          \
      "nodes=3 read_mode=lease lease_margin=.25 drift=100000 clock_spread=worst election_timeout=.15 "       \
      "election_spread=.09 heartbeat_interval=.015 pre_vote=false delay=200us fsync=0 partition_rate=6 "     \
      "partition=exponential(200ms) keys=1 clients=40 client_rate=1000 read_fraction=.9 retry_timeout=.01 "  \
      "duration=4 heal_time=0 reps=150")                                                                     \
    X(OVERLAPPING_CHANGE, "overlapping_membership_change",                                                   \
      "A change of members may begin before the last one, and an entry of the term, is committed.",          \
      "leader completeness",                                                                                 \
      "nodes=3 outsiders=2 change_rate=50 loss=.3 delay=exponential(5ms) fsync=0 batch=1 clients=2 "         \
      "client_rate=30 election_timeout=.02 election_spread=.005 heartbeat_interval=.004 check_quorum=false " \
      "partition_rate=5 partition=exponential(150ms) duration=3 heal_time=0 reps=40")                        \
    X(CONFIG_AT_APPLY, "config_effective_when_applied",                                                      \
      "A change of members counts when it is applied, and a restart forgets what was (etcd-io/etcd 12359).", \
      "leader completeness",                                                                                 \
      "nodes=3 outsiders=2 change_rate=20 crash_rate=5 restart=exponential(30ms) partition_rate=5 "          \
      "partition=exponential(150ms) loss=.1 delay=exponential(200us) fsync=100us batch=1 clients=2 "         \
      "client_rate=200 retry_timeout=.02 election_timeout=.02 election_spread=.01 "                          \
      "heartbeat_interval=.006 pre_vote=false check_quorum=false duration=3 heal_time=0 reps=20")            \
    X(SNAPSHOT_DROPS_CONFIG, "snapshot_drops_config", "A snapshot forgets who the members are.",             \
      "leader completeness",                                                                                 \
      "nodes=3 outsiders=1 change_rate=5 snapshot_every=4 log_capacity=32 loss=.1 delay=1ms fsync=0 "        \
      "batch=1 clients=5 retry_timeout=.01 election_timeout=.01 election_spread=.02 "                        \
      "heartbeat_interval=.008 pre_vote=false crash_rate=2 restart=exponential(100ms) partition_rate=5 "     \
      "partition=exponential(150ms) duration=3 heal_time=0 reps=60")                                         \
    X(SNAPSHOT_KEEPS_SUFFIX, "snapshot_keeps_conflicting_suffix",                                            \
      "An installed snapshot keeps entries behind it that belong to another log.", "state machine safety",   \
      "nodes=3 snapshot_every=8 log_capacity=16 batch=1 pipeline=1 election_timeout=.005 "                   \
      "election_spread=.01 heartbeat_interval=.004 delay=exponential(3ms) fsync=100us loss=.05 "             \
      "partition_rate=10 partition=exponential(50ms) clients=20 client_rate=3000 retry_timeout=.02 "         \
      "duration=3 heal_time=0 reps=80")                                                                      \
    X(HEARTBEAT_COMMIT, "heartbeat_commit_not_clamped",                                                      \
      "A heartbeat carries the leader's commit index, whatever the follower is known to hold.",              \
      "state machine safety",                                                                                \
      "crash_rate=2 partition_rate=3 loss=.2 duplicate=.1 reorder=.2 restart=exponential(200ms) "            \
      "partition=exponential(300ms) duration=5 heal_time=0 reps=80")                                         \
    X(ACK_OF_TRUNCATED, "late_ack_of_truncated_entry",                                                       \
      "The end of an asynchronous write is acknowledged although its entry was cut and replaced meanwhile.", \
      "state machine safety",                                                                                \
      "nodes=5 storage=async group_commit=false fsync=20ms batch=1 pipeline=1 clients=20 client_rate=200 "   \
      "retry_timeout=.1 election_timeout=.02 election_spread=.06 heartbeat_interval=.004 delay=1ms loss=.1 " \
      "crash_rate=3 restart=exponential(10ms) duration=3 heal_time=0 check_history=false reps=300")          \
    X(NO_SESSION, "retry_without_session", "A command sent twice is executed twice.",                        \
      "a command is executed once", "crash_rate=1 partition_rate=1 loss=.05 duration=5 heal_time=0 reps=20") \
    X(LEARNER_NEVER_VOTES, "promoted_learner_never_votes",                                                   \
      "A learner that was promoted does not stand for election.", "progress",                                \
      "nodes=1 outsiders=2 change_rate=5 crash_rate=.3 duration=4 heal_time=4 reps=40")                      \
    X(PRE_VOTE_ALONE, "pre_vote_without_quorum_check",                                                       \
      "With pre-votes a leader that nobody answers leads on: the quorum check is missing.", "progress",      \
      "duration=2 heal_time=3 reps=10")                                                                      \
    X(TORN_TAIL, "torn_tail_taken_as_durable",                                                               \
      "After a restart the log's tail is believed without a look at its checksums.", "log matching",         \
      "crash_rate=2 restart=exponential(100ms) crash_disk=torn fsync=exponential(10ms) sector=64 loss=.05 "  \
      "duration=5 heal_time=0 reps=40")

#endif
