/* Raft, told as scripts: tests/raft/NAME.txt holds commands and, behind "----", what they make happen. A
 * script is a story with comments; a change of the protocol shows as a change of its text. To record all of
 * them anew: DISTLAB_RECORD=1 build/c/asan/test_raft_scripts; then review the difference like code.
 *
 * Commands: cluster NAME=VALUE...; run TIME; until leader | commit N; crash N [kept|lost|torn|cached];
 * restart N; pause N; wake N; cut A B; oneway A B (nothing from A to B); isolate N; heal; write|read|cas
 * KEY [VALUE] at SERVER [by CLIENT]; ask SERVER WHAT [N]; drift N PPM; lag A B FACTOR; servers; logs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>

#include "raft_small.h"
#include "stage.h"

enum { TEXT_MAX = 1 << 18, LINE_MAX_ = 512, CUTS_MAX = 64 };

typedef struct script {
    stage stage;
    dlab_raft raft;
    bool open;
    uint64_t told; /* records of the trace that have been told */
    struct {
        uint32_t from, to;
    } cuts[CUTS_MAX];
    int cut_count;
    char *out, *late; /* late: what commands show, told behind what they make happen */
    size_t used, late_used;
    bool executing;
} script;

__attribute__((format(printf, 2, 3))) static void say(script *s, const char *format, ...)
{
    size_t *used = s->executing ? &s->late_used : &s->used;
    char *text = s->executing ? s->late : s->out;
    va_list args;
    va_start(args, format);
    *used += (size_t)vsnprintf(text + *used, TEXT_MAX - *used, format, args);
    va_end(args);
    assert_true(*used < TEXT_MAX - LINE_MAX_);
}

/* Timers and the routine of heartbeats are left out: they would drown the story. */
static bool is_worth_telling(const dlab_record *r)
{
    switch (r->type) {
    case DLAB_TRACE_SET:
    case DLAB_TRACE_CANCEL:
    case DLAB_TRACE_PERSIST:
    case DLAB_TRACE_PERSISTED:
    case DLAB_TRACE_START: return false;
    case DLAB_TRACE_FIRE:
        return r->label == DLAB_RAFT_TIMER_ELECTION || r->label == DLAB_RAFT_TIMER_TRANSFER_DUE;
    case DLAB_TRACE_STATE: return r->label < DLAB_RAFT_ROLE_THINKING;
    case DLAB_TRACE_SEND:
    case DLAB_TRACE_DELIVER:
    case DLAB_TRACE_DROP: return r->label != DLAB_RAFT_HEARTBEAT && r->label != DLAB_RAFT_ALIVE;
    default: return true;
    }
}

static void tell(script *s)
{
    const dlab_trace *t = &s->stage.world.trace;
    const uint64_t first = t->written - dlab_trace_count(t);
    for (uint64_t k = s->told > first ? s->told : first; k < t->written; k++) {
        const dlab_record *r = dlab_trace_at(t, (size_t)(k - first));
        char line[LINE_MAX_];
        if (!is_worth_telling(r)) continue;
        (void)dlab_record_format(s->stage.core.schema, s->stage.roles, s->stage.core.nodes, r, line,
                                 sizeof line);
        say(s, "%s\n", line);
    }
    s->told = t->written;
}

static int64_t time_of(const char *text)
{
    double seconds;
    assert_int_equal(dlab_quantity_parse(text, "s", &seconds, NULL), DLAB_OK);
    return (int64_t)(seconds * 1e9 + 0.5);
}

static uint32_t node_of(const script *s, const char *word)
{
    assert_non_null(word);
    const long n = strtol(word, NULL, 10);
    assert_true(n >= 0 && n < (long)s->stage.core.nodes);
    return (uint32_t)n;
}

/* --- The cluster */

static void set(script *s, const char *name, const char *value)
{
    dlab_raft *c = &s->raft;
    const bool yes = strcmp(value, "yes") == 0;
    const uint32_t number = (uint32_t)strtoul(value, NULL, 10);
    if (strcmp(name, "servers") == 0) c->servers = number, c->members.voters = (UINT32_C(1) << number) - 1;
    else if (strcmp(name, "voters") == 0) c->members.voters = (UINT32_C(1) << number) - 1;
    else if (strcmp(name, "clients") == 0) c->clients = number;
    else if (strcmp(name, "election") == 0) c->election_least = c->election_most = time_of(value);
    else if (strcmp(name, "spread") == 0) c->election_most = c->election_least + time_of(value);
    else if (strcmp(name, "heartbeat") == 0) c->heartbeat = time_of(value);
    else if (strcmp(name, "pre_vote") == 0) c->pre_vote = yes;
    else if (strcmp(name, "quorum_check") == 0) c->quorum_check = yes;
    else if (strcmp(name, "async") == 0) c->async_storage = yes;
    else if (strcmp(name, "hints") == 0) c->hints = yes;
    else if (strcmp(name, "batch") == 0) c->batch = number;
    else if (strcmp(name, "window") == 0) c->window = number;
    else if (strcmp(name, "log") == 0) c->log_capacity = number;
    else if (strcmp(name, "snapshot_every") == 0) c->snapshot_every = number;
    else if (strcmp(name, "retry") == 0) c->retry = time_of(value);
    else if (strcmp(name, "margin") == 0) c->lease_margin = strtod(value, NULL);
    else if (strcmp(name, "reads") == 0) {
        static const char *const modes[] = {
#define X(code, text) text,
            DLAB_RAFT_READ_MODES(X)
#undef X
                NULL
        };
        for (c->read_mode = 0; strcmp(modes[c->read_mode], value) != 0;)
            assert_non_null(modes[++c->read_mode]);
    } else if (strcmp(name, "bug") == 0) {
        static const char *const bugs[] = {
#define X(code, text, doc, violation, scope) text,
            DLAB_RAFT_BUGS(X)
#undef X
                NULL
        };
        for (c->bug = 0; strcmp(bugs[c->bug], value) != 0;) assert_non_null(bugs[++c->bug]);
    } else if (strcmp(name, "delay") != 0 && strcmp(name, "fsync") != 0 && strcmp(name, "key") != 0) {
        fail_msg("cluster: what is %s?", name);
    }
}

static void open_cluster(script *s, char *words)
{
    char delay[64] = "1ms", fsync[64] = "0";
    uint64_t key = 1;
    s->raft = small_raft();
    s->raft.pre_vote = s->raft.hints = true;
    s->raft.read_mode = DLAB_RAFT_READ_INDEX_MODE;
    s->raft.chunk = 64;
    /* The clients say only what the script tells them to. */
    s->raft.think_least = s->raft.think_most = INT64_C(1) << 60;
    s->raft.retry = s->raft.give_up = INT64_C(1) << 59;
    for (char *word = strtok(words, " "); word != NULL; word = strtok(NULL, " ")) {
        char *value = strchr(word, '=');
        assert_non_null(value);
        *value++ = '\0';
        set(s, word, value);
        if (strcmp(word, "delay") == 0) (void)snprintf(delay, sizeof delay, "%s", value);
        if (strcmp(word, "fsync") == 0) (void)snprintf(fsync, sizeof fsync, "%s", value);
        if (strcmp(word, "key") == 0) key = strtoull(value, NULL, 10);
    }
    dlab_raft_lay_out(&s->raft);
    set_stage(&s->stage, dlab_raft_core(&s->raft), delay, key);
    s->stage.disks = good_disk(fsync);
    s->stage.setup.disks = &s->stage.disks;
    s->stage.setup.fault_nodes = s->raft.servers;
    open_stage(&s->stage);
    s->open = true;
    s->told = 0;
    s->cut_count = 0;
}

static void close_cluster(script *s)
{
    if (s->open) close_stage(&s->stage);
    s->open = false;
}

/* --- What can be shown */

static void show_servers(script *s)
{
    static const char *const roles[] = {
#define X(code, name) name,
        DLAB_RAFT_ROLES(X)
#undef X
    };
    for (uint32_t i = 0; i < s->raft.servers; i++) {
        const void *state = dlab_world_state(&s->stage.world, i);
        const dlab_raft_live *v = dlab_raft_live_of(&s->raft, state);
        const dlab_raft_hard *h = dlab_raft_hard_of(state);
        const dlab_node_status status = s->stage.world.nodes[i].status;
        say(s, "%u %s: term %u, vote %d, commit %u, applied %u, log %u..%u, voters %x", i,
            status == DLAB_NODE_DOWN     ? "down"
            : status == DLAB_NODE_PAUSED ? "paused"
                                         : roles[v->role],
            h->term, (int)h->vote - 1, v->commit, v->applied, v->snapshot + 1, v->last, v->members.voters);
        if (v->members.outgoing != 0) say(s, ", outgoing %x", v->members.outgoing);
        if (v->members.learners != 0) say(s, ", learners %x", v->members.learners);
        say(s, "\n");
    }
}

/* Each log as the terms of its entries; a dot stands in front of what is not committed. */
static void show_logs(script *s)
{
    for (uint32_t i = 0; i < s->raft.servers; i++) {
        const void *state = dlab_world_state(&s->stage.world, i);
        const dlab_raft_live *v = dlab_raft_live_of(&s->raft, state);
        say(s, "%u:", i);
        if (v->snapshot > 0) say(s, " [1-%u]", v->snapshot);
        for (uint32_t k = v->snapshot + 1; k <= v->last; k++)
            say(s, " %s%u", k > v->commit ? "." : "", dlab_raft_entry_at(&s->raft, state, k)->term);
        say(s, "\n");
    }
}

/* --- Commands */

static void go_until(script *s, const char *what, const char *argument)
{
    dlab_view view;
    const uint32_t wanted = argument != NULL ? (uint32_t)strtoul(argument, NULL, 10) : 0;
    const int64_t last = dlab_world_now(&s->stage.world) + INT64_C(20000000000);
    for (;;) {
        uint32_t commit = 0;
        dlab_world_view(&s->stage.world, &view);
        for (uint32_t i = 0; i < s->raft.servers; i++) {
            const dlab_raft_live *v = dlab_raft_live_of(&s->raft, dlab_view_node(&view, i));
            if (v->commit > commit) commit = v->commit;
        }
        if (strcmp(what, "leader") == 0 ? s->stage.core.leader(&s->stage.core, &view) != DLAB_NO_NODE
                                        : commit >= wanted)
            return;
        const int taken = dlab_world_step(&s->stage.world, last);
        if (taken < 0) fail_msg("%s", s->stage.ctx.err.text);
        if (taken == 0) {
            say(s, "never\n");
            return;
        }
    }
}

static void cut(script *s, uint32_t from, uint32_t to)
{
    assert_true(s->cut_count < CUTS_MAX);
    dlab_net_cut(&s->stage.world.net, from, to, 1);
    s->cuts[s->cut_count].from = from;
    s->cuts[s->cut_count++].to = to;
}

static void isolate(script *s, uint32_t node)
{
    for (uint32_t i = 0; i < s->raft.servers; i++) {
        if (i == node) continue;
        cut(s, i, node);
        cut(s, node, i);
    }
}

static void heal(script *s)
{
    while (s->cut_count > 0) {
        s->cut_count--;
        dlab_net_cut(&s->stage.world.net, s->cuts[s->cut_count].from, s->cuts[s->cut_count].to, -1);
    }
}

/* write KEY VALUE at SERVER [by CLIENT], read KEY at SERVER [by CLIENT]. */
static void operate(script *s, char **w)
{
    const bool reads = strcmp(w[0], "read") == 0;
    const unsigned kind = reads            ? DLAB_RAFT_ASK_READ
                          : w[0][0] == 'w' ? DLAB_RAFT_ASK_WRITE
                                           : DLAB_RAFT_ASK_CAS;
    const uint64_t key = strtoull(w[1], NULL, 10), value = reads ? 0 : strtoull(w[2], NULL, 10);
    char **rest = w + (reads ? 3 : 4);
    const uint32_t server = node_of(s, rest[0]);
    const uint32_t client = s->raft.servers + (rest[1] != NULL ? (uint32_t)strtoul(rest[2], NULL, 10) : 0);
    assert_int_equal(dlab_world_request(&s->stage.world, client, dlab_world_now(&s->stage.world), 0, kind,
                                        server, key << 48 | value),
                     DLAB_OK);
    run_to(&s->stage, (double)dlab_world_now(&s->stage.world) * 1e-9);
}

static void ask(script *s, char **w)
{
    static const char *const asks[] = {
#define X(code, name, a, b) #code,
        DLAB_RAFT_REQUESTS(X)
#undef X
            NULL
    };
    unsigned kind = 0;
    while (strcmp(asks[kind], w[2]) != 0) assert_non_null(asks[++kind]);
    const uint32_t what = w[3] != NULL ? (uint32_t)strtoul(w[3], NULL, 0) : 0;
    assert_int_equal(dlab_world_request(&s->stage.world, node_of(s, w[1]), dlab_world_now(&s->stage.world), 0,
                                        kind, what, 0),
                     DLAB_OK);
    run_to(&s->stage, (double)dlab_world_now(&s->stage.world) * 1e-9);
}

static int32_t keep_of(const char *word)
{
    int32_t keep = 0;
    if (word == NULL) return DLAB_KEEP_SYNCED;
    while (strcmp(dlab_trace_keeps[keep], word) != 0) assert_non_null(dlab_trace_keeps[++keep]);
    return keep;
}

static void execute(script *s, char *line)
{
    dlab_world *w = &s->stage.world;
    char *words[12] = { NULL };
    int n = 0;
    if (strncmp(line, "cluster", 7) == 0) {
        close_cluster(s);
        open_cluster(s, line + 7);
        return;
    }
    for (char *word = strtok(line, " "); word != NULL && n < 11; word = strtok(NULL, " ")) words[n++] = word;
    const char *verb = words[0];
    if (strcmp(verb, "run") == 0) run_to(&s->stage, (double)(dlab_world_now(w) + time_of(words[1])) * 1e-9);
    else if (strcmp(verb, "until") == 0) go_until(s, words[1], words[2]);
    else if (strcmp(verb, "crash") == 0) (void)dlab_world_crash(w, node_of(s, words[1]), keep_of(words[2]));
    else if (strcmp(verb, "restart") == 0) (void)dlab_world_restart(w, node_of(s, words[1]));
    else if (strcmp(verb, "pause") == 0) (void)dlab_world_pause(w, node_of(s, words[1]));
    else if (strcmp(verb, "wake") == 0) (void)dlab_world_wake(w, node_of(s, words[1]));
    else if (strcmp(verb, "oneway") == 0) cut(s, node_of(s, words[1]), node_of(s, words[2]));
    else if (strcmp(verb, "cut") == 0) {
        cut(s, node_of(s, words[1]), node_of(s, words[2]));
        cut(s, node_of(s, words[2]), node_of(s, words[1]));
    } else if (strcmp(verb, "isolate") == 0) isolate(s, node_of(s, words[1]));
    else if (strcmp(verb, "heal") == 0) heal(s);
    else if (strcmp(verb, "write") == 0 || strcmp(verb, "read") == 0 || strcmp(verb, "cas") == 0)
        operate(s, words);
    else if (strcmp(verb, "ask") == 0) ask(s, words);
    else if (strcmp(verb, "drift") == 0)
        (void)dlab_world_drift(w, node_of(s, words[1]), strtod(words[2], NULL));
    else if (strcmp(verb, "lag") == 0)
        (void)dlab_net_slow(&w->net, node_of(s, words[1]), node_of(s, words[2]), strtod(words[3], NULL));
    else if (strcmp(verb, "servers") == 0) show_servers(s);
    else if (strcmp(verb, "logs") == 0) show_logs(s);
    else fail_msg("what is %s?", verb);
    assert_int_equal(s->stage.ctx.err.code, DLAB_OK);
}

/* --- Scripts: commands, "----", what happens, an empty line. Lines with # are kept. */

static char *read_file(const char *path)
{
    FILE *f = fopen(path, "r");
    char *text = calloc(1, TEXT_MAX);
    assert_non_null(f);
    assert_non_null(text);
    assert_true(fread(text, 1, TEXT_MAX - 1, f) < TEXT_MAX - 1);
    (void)fclose(f);
    return text;
}

/* The script as it is and as it would be recorded now. */
static char *play(const char *text)
{
    static script s;
    const char *at = text;
    bool told = false;
    s = (script){ .out = calloc(1, TEXT_MAX), .late = calloc(1, TEXT_MAX) };
    assert_non_null(s.out);
    assert_non_null(s.late);
    while (*at != '\0') {
        const size_t length = strcspn(at, "\n");
        char line[LINE_MAX_];
        assert_true(length < sizeof line);
        memcpy(line, at, length);
        line[length] = '\0';
        at += length + (at[length] == '\n');
        if (told && length > 0) continue; /* what was recorded */
        told = false;
        say(&s, "%s\n", line);
        if (strcmp(line, "----") == 0) {
            tell(&s);
            say(&s, "%.*s", (int)s.late_used, s.late);
            s.late_used = 0;
            told = true;
        } else if (length > 0 && line[0] != '#') {
            s.executing = true;
            execute(&s, line);
            s.executing = false;
        }
    }
    close_cluster(&s);
    free(s.late);
    return s.out;
}

static void every_script_tells_what_happens(void **state)
{
    DIR *folder = opendir("tests/raft");
    const bool records = getenv("DISTLAB_RECORD") != NULL;
    int count = 0;
    (void)state;
    assert_non_null(folder);
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        char path[512];
        if (strstr(entry->d_name, ".txt") == NULL) continue;
        (void)snprintf(path, sizeof path, "tests/raft/%s", entry->d_name);
        char *text = read_file(path), *now = play(text);
        count++;
        if (records) {
            FILE *f = fopen(path, "w");
            assert_non_null(f);
            (void)fputs(now, f);
            (void)fclose(f);
        } else if (strcmp(text, now) != 0) {
            size_t same = 0;
            while (text[same] == now[same]) same++;
            fail_msg("%s: from here on it was otherwise:\n%.400s\n--- and not\n%.400s", path, now + same,
                     text + same);
        }
        free(text);
        free(now);
    }
    (void)closedir(folder);
    assert_true(count >= 12);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_script_tells_what_happens) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
