/* One run of a model, in both ways C has.
 *
 * By struct, where the model is known when you write the program: fields are checked by the compiler.
 *     run_model
 * By text, where it is known when the program runs: any model, any field, units and distributions as Python
 * reads them, and what is wrong is said with the nearest name.
 *     run_model queueing.station arrival_rate=90 servers=2 "service=lognormal(median=5ms, p99=80ms)"
 */
#include <distlab/distlab.h>
#include <stdio.h>
#include <string.h>

static int by_struct(void)
{
    dlab_queueing_station_params p;
    dlab_study study = { .model = &dlab_queueing_station, .seed = 1 };
    dlab_params_default(study.model, &p, &study.err);
    p.arrival_rate = 90;
    p.jobs = 200000;
    p.discipline = DLAB_QUEUEING_STATION_DISCIPLINE_FIFO;

    dlab_study_points(&study, &p, 1);
    dlab_study_run(&study);
    const dlab_queueing_station_metrics *m = dlab_study_metrics(&study, 0, 0);
    if (m != NULL) {
        printf("wait %.3f ms, standard error %.3f ms\n", 1e3 * m->wait.mean, 1e3 * m->wait.se);
        printf("busy %.4f of the time\n", m->utilisation.num / m->utilisation.den);
        printf("%lld latencies, half of them below %.3f ms\n", (long long)m->latency.count,
               1e3 * dlab_study_value(&study, 0, 0, "latency_p50"));
        printf("by formula %.3f ms\n", 1e3 * dlab_study_theory(&study, 0, "latency_p50"));
    }
    if (study.err.code != DLAB_OK) fprintf(stderr, "run_model: %s\n", study.err.text);
    dlab_study_close(&study);
    return study.err.code;
}

/* Every parameter as it was, then every column the metrics have. */
static void show(dlab_study *study)
{
    dlab_layout layout;
    dlab_column columns[DLAB_COLUMNS_MAX];
    char text[200];
    dlab_layout_init(&layout, study->model->params, &study->err);
    for (int i = 0; i < layout.count; i++) {
        const char *name = layout.fields[i].name, *unit = layout.fields[i].unit;
        dlab_get(study->model, dlab_study_params(study, 0), name, &study->tables, text, sizeof text,
                 &study->err);
        printf("%-24s %s %s\n", name, text, unit != NULL && strcmp(text, "none") != 0 ? unit : "");
    }
    puts("");
    dlab_layout_init(&layout, study->model->metrics, &study->err);
    const int n = dlab_columns(&layout, columns, &study->err);
    for (int i = 0; i < n; i++) {
        const char *name = columns[i].name, *unit = layout.fields[columns[i].field].unit;
        printf("%-24s %.17g %s\n", name, dlab_study_value(study, 0, 0, name), unit != NULL ? unit : "");
    }
}

static int by_text(int count, char **words)
{
    dlab_study study = { .seed = 1 };
    study.model = dlab_model_find(words[0], &study.err);
    for (int i = 1; i < count; i++) {
        char *equals = strchr(words[i], '=');
        if (equals != NULL) *equals = '\0';
        dlab_study_set(&study, words[i], equals != NULL ? equals + 1 : "");
    }
    if (dlab_study_run(&study) == DLAB_OK) show(&study);
    if (study.err.code != DLAB_OK) fprintf(stderr, "run_model: %s\n", study.err.text);
    dlab_study_close(&study);
    return study.err.code;
}

int main(int argc, char **argv)
{
    return (argc > 1 ? by_text(argc - 1, argv + 1) : by_struct()) == DLAB_OK ? 0 : 2;
}
