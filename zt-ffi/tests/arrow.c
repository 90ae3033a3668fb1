/*
 * Batches of Arrow across the C data interface: who owns what when, what comes back, and what is refused. Needs C99.
 *
 * argv: the world's folder, an empty folder that stays so. The environment has ZT_SCORE, ZT_INES, ZT_MAYA.
 */
#include "checks.h"

#define OUTPUT "loan_scores_delta"
#define COLUMNS 4
#define ROWS 3

static int schemas_released;
static int arrays_released;
/* What stands in a place before zt writes it. */
static struct ArrowSchema no_schema;
static struct ArrowArray no_array;

/* Everything that a batch of this program consists of: its release callbacks free it. */
struct own_schema {
    struct ArrowSchema columns[COLUMNS];
    struct ArrowSchema *children[COLUMNS];
};

struct own_array {
    struct ArrowArray columns[COLUMNS];
    struct ArrowArray *children[COLUMNS];
    const void *buffers[COLUMNS][3];
    const void *no_nulls[1];
    int64_t ids[ROWS + 1];
    int32_t ends[ROWS + 1];
    char texts[32];
    unsigned char nulls[1];
    double numbers[ROWS];
};

static void release_child_schema(struct ArrowSchema *schema) {
    schema->release = NULL;
}

static void release_child_array(struct ArrowArray *array) {
    array->release = NULL;
}

static void release_schema(struct ArrowSchema *schema) {
    schemas_released++;
    free(schema->private_data);
    schema->release = NULL;
}

static void release_array(struct ArrowArray *array) {
    arrays_released++;
    free(array->private_data);
    array->release = NULL;
}

static void make(struct ArrowSchema *schema, struct ArrowArray *array) {
    static const char *const names[COLUMNS] = {"id", "salary_range", "debt_to_income_ratio", "y_pred_proba"};
    static const char *const formats[COLUMNS] = {"l", "u", "g", "g"};
    struct own_schema *types = calloc(1, sizeof *types);
    struct own_array *data = calloc(1, sizeof *data);
    int i;
    memset(schema, 0, sizeof *schema);
    memset(array, 0, sizeof *array);
    for (i = 0; i < COLUMNS; i++) {
        types->children[i] = &types->columns[i];
        types->columns[i].format = formats[i];
        types->columns[i].name = names[i];
        types->columns[i].flags = ARROW_FLAG_NULLABLE;
        types->columns[i].release = release_child_schema;
        data->children[i] = &data->columns[i];
        data->columns[i].length = ROWS;
        data->columns[i].n_buffers = i == 1 ? 3 : 2;
        data->columns[i].buffers = data->buffers[i];
        data->columns[i].release = release_child_array;
        data->buffers[i][1] = data->numbers;
    }
    for (i = 0; i < ROWS; i++) {
        data->ids[i + 1] = 70000 + i;
        data->numbers[i] = 0.25 * i;
    }
    data->columns[0].offset = 1; /* the first id is not of this batch */
    data->buffers[0][1] = data->ids;
    memcpy(data->texts, "zt-needle-20Krest", 17);
    data->ends[1] = 13;
    data->ends[2] = 13;
    data->ends[3] = 17;
    data->nulls[0] = 5; /* the second is missing */
    data->columns[1].null_count = 1;
    data->buffers[1][0] = data->nulls;
    data->buffers[1][1] = data->ends;
    data->buffers[1][2] = data->texts;
    schema->format = "+s";
    schema->n_children = COLUMNS;
    schema->children = types->children;
    schema->private_data = types;
    schema->release = release_schema;
    array->length = ROWS;
    array->n_buffers = 1;
    array->buffers = data->no_nulls;
    array->n_children = COLUMNS;
    array->children = data->children;
    array->private_data = data;
    array->release = release_array;
    schemas_released = 0;
    arrays_released = 0;
}

static void release(struct ArrowSchema *schema, struct ArrowArray *array) {
    if (schema->release != NULL) {
        schema->release(schema);
    }
    if (array->release != NULL) {
        array->release(array);
    }
}

/* Both were taken, and each callback was called once. */
static int consumed(const struct ArrowSchema *schema, const struct ArrowArray *array) {
    return schema->release == NULL && array->release == NULL && schemas_released == 1 && arrays_released == 1;
}

static int contains(const void *bytes, size_t length, const char *part) {
    size_t size = strlen(part);
    size_t i;
    for (i = 0; i + size <= length; i++) {
        if (memcmp((const char *)bytes + i, part, size) == 0) {
            return 1;
        }
    }
    return 0;
}

static void seal(const zt_sealer *sealer, int32_t store, struct ArrowSchema *schema, struct ArrowArray *array) {
    struct ArrowSchema plain_schema;
    struct ArrowArray plain_array;
    zt_error *err = NULL;
    make(&plain_schema, &plain_array);
    CHECK(zt_sealer_seal_arrow(sealer, &plain_schema, &plain_array, store, schema, array, &err) == ZT_STATUS_OK);
    CHECK(plain_schema.release == NULL && plain_array.release == NULL && schemas_released == 1);
    zt_error_free(err);
}

static int is_plain(const struct ArrowSchema *schema, const struct ArrowArray *array) {
    static const char *const formats[COLUMNS] = {"l", "u", "g", "g"};
    const struct ArrowArray *ids = array->children[0];
    const struct ArrowArray *texts = array->children[1];
    const struct ArrowArray *numbers = array->children[2];
    const int32_t *ends = (const int32_t *)texts->buffers[1] + texts->offset;
    int yes = same(schema->format, "+s") && schema->n_children == COLUMNS && array->n_children == COLUMNS &&
              array->length == ROWS && texts->null_count == 1;
    int i;
    for (i = 0; yes && i < COLUMNS; i++) {
        yes = same(schema->children[i]->format, formats[i]);
    }
    for (i = 0; yes && i < ROWS; i++) {
        yes = ((const int64_t *)ids->buffers[1])[ids->offset + i] == 70000 + i &&
              ((const double *)numbers->buffers[1])[numbers->offset + i] == 0.25 * i;
    }
    return yes && ends[1] - ends[0] == 13 && memcmp((const char *)texts->buffers[2] + ends[0], "zt-needle-20K", 13) == 0 &&
           ends[2] == ends[1] && ends[3] - ends[2] == 4;
}

static void round_trips(const zt_sealer *sealer, const zt_session *ines, const zt_session *maya) {
    const int32_t stores[] = {ZT_STORE_TEXT, ZT_STORE_BYTES};
    int i;
    for (i = 0; i < 2; i++) {
        struct ArrowSchema schema = no_schema;
        struct ArrowArray array = no_array;
        struct ArrowSchema plain_schema = no_schema;
        struct ArrowArray plain_array = no_array;
        struct ArrowArray *texts;
        zt_error *err = NULL;
        zt_opener *opener = NULL;
        int32_t length;
        seal(sealer, stores[i], &schema, &array);
        CHECK(arrays_released == 0); /* the ids lie in the program's memory still */
        CHECK(schema.n_children == COLUMNS + 1 && same(schema.children[1]->format, i == 0 ? "u" : "z"));
        CHECK(same(schema.children[COLUMNS]->name, "_zt_key") && array.children[COLUMNS]->dictionary != NULL);
        texts = array.children[1];
        length = ((const int32_t *)texts->buffers[1])[texts->offset + texts->length];
        CHECK(length > 0 && !contains(texts->buffers[2], (size_t)length, "needle"));
        CHECK((i == 0) == contains(texts->buffers[2], 4, "zt1."));

        CHECK(zt_arrow_opener_new(maya, OUTPUT, &schema, &array, &opener, &err) == ZT_STATUS_DENIED);
        CHECK(says(&err, ZT_STATUS_DENIED, "") && opener == NULL);
        CHECK(zt_arrow_opener_new(ines, OUTPUT, &schema, &array, &opener, &err) == ZT_STATUS_OK);
        CHECK(schema.release != NULL && array.release != NULL && arrays_released == 0);
        CHECK(zt_opener_unseal_arrow(opener, &schema, &array, &plain_schema, &plain_array, &err) == ZT_STATUS_OK);
        CHECK(schema.release == NULL && array.release == NULL);
        CHECK(is_plain(&plain_schema, &plain_array));
        release(&plain_schema, &plain_array);
        CHECK(arrays_released == 1);

        /* What was sealed goes into the very places that it came from. */
        seal(sealer, stores[i], &schema, &array);
        zt_opener_free(opener);
        opener = NULL;
        CHECK(zt_arrow_opener_new(ines, OUTPUT, &schema, &array, &opener, NULL) == ZT_STATUS_OK);
        CHECK(zt_opener_unseal_arrow(opener, &schema, &array, &schema, &array, NULL) == ZT_STATUS_OK);
        CHECK(is_plain(&schema, &array));
        release(&schema, &array);
        CHECK(arrays_released == 1);
        zt_opener_free(opener);
    }
}

static void damage(const zt_sealer *sealer, const zt_session *ines) {
    struct ArrowSchema schema = no_schema;
    struct ArrowArray array = no_array;
    struct ArrowSchema out_schema = no_schema;
    struct ArrowArray out_array = no_array;
    zt_error *err = NULL;
    zt_opener *opener = NULL;
    char *cell;
    seal(sealer, ZT_STORE_TEXT, &schema, &array);
    CHECK(zt_arrow_opener_new(ines, OUTPUT, &schema, &array, &opener, NULL) == ZT_STATUS_OK);
    cell = (char *)array.children[1]->buffers[2] + 10;
    *cell = *cell == 'A' ? 'B' : 'A';
    CHECK(zt_opener_unseal_arrow(opener, &schema, &array, &out_schema, &out_array, &err) == ZT_STATUS_SEAL_INTEGRITY);
    CHECK(says(&err, ZT_STATUS_SEAL_INTEGRITY, "row 1"));
    CHECK(consumed(&schema, &array) && out_schema.release == NULL && out_array.release == NULL);
    /* Plain rows have no keys. */
    make(&schema, &array);
    CHECK(zt_arrow_opener_new(ines, OUTPUT, &schema, &array, &opener, &err) == ZT_STATUS_SEAL_INTEGRITY);
    CHECK(says(&err, ZT_STATUS_SEAL_INTEGRITY, "_zt_key") && schema.release != NULL && array.release != NULL);
    CHECK(zt_opener_unseal_arrow(opener, &schema, &array, &out_schema, &out_array, NULL) == ZT_STATUS_SEAL_INTEGRITY);
    CHECK(consumed(&schema, &array));
    /* A column that the rule seals is not there under its name. */
    make(&schema, &array);
    schema.children[3]->name = "score";
    CHECK(zt_sealer_seal_arrow(sealer, &schema, &array, ZT_STORE_TEXT, &out_schema, &out_array, &err) ==
          ZT_STATUS_INVALID_ARGUMENT);
    CHECK(says(&err, ZT_STATUS_INVALID_ARGUMENT, "y_pred_proba") && consumed(&schema, &array));
    zt_opener_free(opener);
}

static void no_format(struct ArrowSchema *schema, struct ArrowArray *array) {
    (void)array;
    schema->children[1]->format = NULL;
}

static void strange_format(struct ArrowSchema *schema, struct ArrowArray *array) {
    (void)array;
    schema->children[1]->format = "q?";
}

static void format_not_utf_8(struct ArrowSchema *schema, struct ArrowArray *array) {
    (void)array;
    schema->children[1]->format = "\xff";
}

static void name_not_utf_8(struct ArrowSchema *schema, struct ArrowArray *array) {
    (void)array;
    schema->children[0]->name = "\xc3\x28";
}

static void no_columns(struct ArrowSchema *schema, struct ArrowArray *array) {
    (void)array;
    schema->format = "u";
}

static void list_of_nothing(struct ArrowSchema *schema, struct ArrowArray *array) {
    (void)array;
    schema->children[1]->format = "+l";
}

static void negative_children(struct ArrowSchema *schema, struct ArrowArray *array) {
    (void)array;
    schema->n_children = -1;
}

static void huge_children(struct ArrowSchema *schema, struct ArrowArray *array) {
    (void)array;
    schema->n_children = INT64_MAX;
}

static void null_children(struct ArrowSchema *schema, struct ArrowArray *array) {
    (void)array;
    schema->children = NULL;
}

static void null_child(struct ArrowSchema *schema, struct ArrowArray *array) {
    (void)array;
    schema->children[2] = NULL;
}

static void endless(struct ArrowSchema *schema, struct ArrowArray *array) {
    (void)array;
    schema->children[1]->format = "+s";
    schema->children[1]->n_children = 1;
    schema->children[1]->children = schema->children + 1; /* itself */
}

static void released_child(struct ArrowSchema *schema, struct ArrowArray *array) {
    (void)array;
    schema->children[2]->release = NULL;
}

static void negative_length(struct ArrowSchema *schema, struct ArrowArray *array) {
    (void)schema;
    array->length = -1;
}

static void negative_offset(struct ArrowSchema *schema, struct ArrowArray *array) {
    (void)schema;
    array->children[0]->offset = -1;
}

static void huge_length(struct ArrowSchema *schema, struct ArrowArray *array) {
    (void)schema;
    array->children[0]->length = INT64_MAX;
}

static void length_and_offset(struct ArrowSchema *schema, struct ArrowArray *array) {
    (void)schema;
    array->children[0]->length = INT64_MAX - 2;
    array->children[0]->offset = INT64_MAX - 2;
}

static void fewer_rows(struct ArrowSchema *schema, struct ArrowArray *array) {
    (void)schema;
    array->children[2]->length = 1;
}

static void more_columns(struct ArrowSchema *schema, struct ArrowArray *array) {
    (void)schema;
    array->n_children = COLUMNS - 1;
}

static void null_array_child(struct ArrowSchema *schema, struct ArrowArray *array) {
    (void)schema;
    array->children[2] = NULL;
}

static void released_array_child(struct ArrowSchema *schema, struct ArrowArray *array) {
    (void)schema;
    array->children[2]->release = NULL;
}

static void few_buffers(struct ArrowSchema *schema, struct ArrowArray *array) {
    (void)schema;
    array->children[1]->n_buffers = 2;
}

static void many_buffers(struct ArrowSchema *schema, struct ArrowArray *array) {
    (void)schema;
    array->children[0]->n_buffers = INT64_MAX;
}

static void negative_buffers(struct ArrowSchema *schema, struct ArrowArray *array) {
    (void)schema;
    array->children[0]->n_buffers = -2;
}

static void null_buffers(struct ArrowSchema *schema, struct ArrowArray *array) {
    (void)schema;
    array->children[0]->buffers = NULL;
}

static void null_values(struct ArrowSchema *schema, struct ArrowArray *array) {
    (void)schema;
    array->children[0]->buffers[1] = NULL;
}

static void null_ends(struct ArrowSchema *schema, struct ArrowArray *array) {
    (void)schema;
    array->children[1]->buffers[1] = NULL;
}

static void odd_ends(struct ArrowSchema *schema, struct ArrowArray *array) {
    (void)schema;
    array->children[1]->buffers[1] = (const char *)array->children[1]->buffers[1] + 1;
}

static void ends_below_zero(struct ArrowSchema *schema, struct ArrowArray *array) {
    (void)schema;
    ((struct own_array *)array->private_data)->ends[3] = -1;
}

static void ends_backwards(struct ArrowSchema *schema, struct ArrowArray *array) {
    (void)schema;
    ((struct own_array *)array->private_data)->ends[1] = 16;
}

static void text_not_utf_8(struct ArrowSchema *schema, struct ArrowArray *array) {
    (void)schema;
    ((struct own_array *)array->private_data)->texts[3] = '\xff';
}

static void wrong_nulls(struct ArrowSchema *schema, struct ArrowArray *array) {
    (void)schema;
    array->children[1]->null_count = 3;
}

static void missing_rows(struct ArrowSchema *schema, struct ArrowArray *array) {
    (void)schema;
    ((struct own_array *)array->private_data)->no_nulls[0] = ((struct own_array *)array->private_data)->nulls;
    array->null_count = 1;
}

static void not_nullable(struct ArrowSchema *schema, struct ArrowArray *array) {
    (void)array;
    schema->children[1]->flags = 0;
}

static void a_dictionary(struct ArrowSchema *schema, struct ArrowArray *array) {
    (void)schema;
    array->children[0]->dictionary = array->children[1];
}

static void no_dictionary(struct ArrowSchema *schema, struct ArrowArray *array) {
    (void)array;
    schema->children[0]->dictionary = schema->children[1];
}

static void views_of_nothing(struct ArrowSchema *schema, struct ArrowArray *array) {
    (void)array;
    schema->children[1]->format = "vu";
}

static void wide_bytes(struct ArrowSchema *schema, struct ArrowArray *array) {
    (void)array;
    schema->children[0]->format = "w:-5";
}

typedef void (*spoiler)(struct ArrowSchema *, struct ArrowArray *);

static const spoiler spoilers[] = {
    no_format,       strange_format,  format_not_utf_8,     name_not_utf_8,       no_columns,       list_of_nothing,
    negative_children, huge_children, null_children,        null_child,           endless,          released_child,
    negative_length, negative_offset, huge_length,          length_and_offset,    fewer_rows,       more_columns,
    null_array_child, released_array_child, few_buffers,    many_buffers,         negative_buffers, null_buffers,
    null_values,     null_ends,       odd_ends,             ends_below_zero,      ends_backwards,   text_not_utf_8,
    wrong_nulls,     missing_rows,    not_nullable,         a_dictionary,         no_dictionary,    views_of_nothing,
    wide_bytes,
};

static void hostile(const zt_sealer *sealer, const zt_session *ines) {
    struct ArrowSchema schema;
    struct ArrowArray array;
    struct ArrowSchema out_schema = no_schema;
    struct ArrowArray out_array = no_array;
    zt_opener *opener = NULL;
    size_t i;
    for (i = 0; i < sizeof spoilers / sizeof spoilers[0]; i++) {
        zt_error *err = NULL;
        int before = failed;
        make(&schema, &array);
        spoilers[i](&schema, &array);
        CHECK(zt_arrow_opener_new(ines, OUTPUT, &schema, &array, &opener, &err) == ZT_STATUS_INVALID_ARGUMENT);
        CHECK(says(&err, ZT_STATUS_INVALID_ARGUMENT, "") && schema.release != NULL && array.release != NULL);
        CHECK(zt_sealer_seal_arrow(sealer, &schema, &array, ZT_STORE_TEXT, &out_schema, &out_array, &err) ==
              ZT_STATUS_INVALID_ARGUMENT);
        CHECK(says(&err, ZT_STATUS_INVALID_ARGUMENT, ""));
        CHECK(consumed(&schema, &array));
        if (failed > before) {
            fprintf(stderr, "spoiler %lu\n", (unsigned long)i);
        }
    }
    CHECK(opener == NULL && out_schema.release == NULL && out_array.release == NULL);
}

static void wrong_arguments(const zt_sealer *sealer, const zt_session *ines) {
    struct ArrowSchema schema;
    struct ArrowArray array;
    struct ArrowSchema out_schema = no_schema;
    struct ArrowArray out_array = no_array;
    zt_error *err = NULL;
    zt_opener *opener = NULL;
    make(&schema, &array);
    CHECK(zt_sealer_seal_arrow(NULL, &schema, &array, ZT_STORE_TEXT, &out_schema, &out_array, &err) ==
          ZT_STATUS_INVALID_ARGUMENT);
    CHECK(says(&err, ZT_STATUS_INVALID_ARGUMENT, "`sealer`") && consumed(&schema, &array));
    /* They were taken: a second call finds nothing. */
    CHECK(zt_sealer_seal_arrow(sealer, &schema, &array, ZT_STORE_TEXT, &out_schema, &out_array, &err) ==
          ZT_STATUS_INVALID_ARGUMENT);
    CHECK(says(&err, ZT_STATUS_INVALID_ARGUMENT, "released") && consumed(&schema, &array));
    make(&schema, &array);
    CHECK(zt_sealer_seal_arrow(sealer, &schema, &array, 7, &out_schema, &out_array, &err) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(says(&err, ZT_STATUS_INVALID_ARGUMENT, "`store` is 7") && consumed(&schema, &array));
    make(&schema, &array);
    CHECK(zt_sealer_seal_arrow(sealer, &schema, &array, ZT_STORE_TEXT, NULL, &out_array, NULL) ==
          ZT_STATUS_INVALID_ARGUMENT);
    CHECK(consumed(&schema, &array));
    make(&schema, &array);
    CHECK(zt_sealer_seal_arrow(sealer, &schema, &array, ZT_STORE_TEXT, &out_schema, NULL, NULL) ==
          ZT_STATUS_INVALID_ARGUMENT);
    CHECK(consumed(&schema, &array));
    make(&schema, &array);
    CHECK(zt_sealer_seal_arrow(sealer, NULL, &array, ZT_STORE_TEXT, &out_schema, &out_array, NULL) ==
          ZT_STATUS_INVALID_ARGUMENT);
    CHECK(array.release == NULL && arrays_released == 1 && schemas_released == 0);
    CHECK(zt_sealer_seal_arrow(sealer, &schema, NULL, ZT_STORE_TEXT, &out_schema, &out_array, NULL) ==
          ZT_STATUS_INVALID_ARGUMENT);
    CHECK(consumed(&schema, &array));
    make(&schema, &array);
    CHECK(zt_opener_unseal_arrow(NULL, &schema, &array, &out_schema, &out_array, &err) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(says(&err, ZT_STATUS_INVALID_ARGUMENT, "`opener`") && consumed(&schema, &array));
    make(&schema, &array);
    CHECK(zt_arrow_opener_new(NULL, OUTPUT, &schema, &array, &opener, NULL) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(zt_arrow_opener_new(ines, NULL, &schema, &array, &opener, NULL) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(zt_arrow_opener_new(ines, OUTPUT, NULL, &array, &opener, NULL) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(zt_arrow_opener_new(ines, OUTPUT, &schema, NULL, &opener, NULL) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(zt_arrow_opener_new(ines, OUTPUT, &schema, &array, NULL, NULL) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(zt_arrow_opener_new(ines, OUTPUT, &no_schema, &array, &opener, NULL) == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(zt_arrow_opener_new(ines, OUTPUT, &schema, &no_array, &opener, NULL) == ZT_STATUS_INVALID_ARGUMENT);
    release(&schema, &array);
    CHECK(opener == NULL && out_schema.release == NULL && out_array.release == NULL);
}

int main(int argc, char **argv) {
    zt_runtime *zt = NULL;
    zt_session *job;
    zt_session *ines;
    zt_session *maya;
    zt_sealer *sealer = NULL;
    struct ArrowSchema kept_schema = no_schema;
    struct ArrowArray kept_array = no_array;
    if (argc != 3) {
        return 2;
    }
    CHECK(zt_open(argv[1], &zt, NULL) == ZT_STATUS_OK);
    job = the_job(zt);
    ines = sign_in(zt, "ZT_INES");
    maya = sign_in(zt, "ZT_MAYA");
    CHECK(zt_sealer_new(job, OUTPUT, &sealer, NULL) == ZT_STATUS_OK);
    round_trips(sealer, ines, maya);
    damage(sealer, ines);
    hostile(sealer, ines);
    wrong_arguments(sealer, ines);
    seal(sealer, ZT_STORE_TEXT, &kept_schema, &kept_array);
    zt_session_free(job);
    zt_session_free(ines);
    zt_session_free(maya);
    zt_sealer_free(sealer);
    CHECK(zt_runtime_close(zt, 5000, NULL) == ZT_STATUS_OK);
    zt_runtime_free(zt);
    /* What was given out outlives everything. */
    CHECK(kept_schema.n_children == COLUMNS + 1 && kept_array.children[1]->length == ROWS);
    release(&kept_schema, &kept_array);
    CHECK(arrays_released == 1);
    return told();
}
