/* 784-64-10 in C: what a hand-written program does that leaves the products to a BLAS (OpenBLAS, or MKL with -DMKL).
 *
 *     blas IMAGES LABELS
 *
 * takes the two unpacked IDX files of MNIST's training set. On each line of its input it does one work
 * and answers with a line: the seconds that it took, per epoch or per image.
 *
 *     epoch     60,000 images in a fresh order, batches of 64, plain gradient descent at 0.01
 *     one       one image forward, another one every time
 *     batch     64 images forward
 *     accuracy  the share of the training set that is right: no time, a check that it learns
 *
 * One thread: MKL_NUM_THREADS=1, OPENBLAS_NUM_THREADS=1. */
#ifdef MKL
#include <mkl.h>
#else
#include <cblas.h>
#endif
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { IN = 784, HIDDEN = 64, OUT = 10, BATCH = 64, COUNT = 60000, TIMES = 20000 };

static uint8_t images[COUNT][IN], labels[COUNT];
static uint32_t order[COUNT];
static float x[BATCH][IN], h[BATCH][HIDDEN], y[BATCH][OUT], dh[BATCH][HIDDEN];
static float w1[IN][HIDDEN], b1[HIDDEN], w2[HIDDEN][OUT], b2[OUT];
static uint64_t state = 88172645463325252u;

static uint64_t next(void) {
    state ^= state << 13;
    state ^= state >> 7;
    return state ^= state << 17;
}

static float uniform(void) { return (float)(next() >> 40) / (1 << 23) - 1; }

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void load(const char *path, long skip, void *to, size_t size) {
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, skip, SEEK_SET) || fread(to, 1, size, file) != size) {
        fprintf(stderr, "%s: expected an IDX file of %d training samples\n", path, COUNT);
        exit(1);
    }
    fclose(file);
}

static void gather(const uint32_t *index, int n) {
    for (int k = 0; k < n; k++)
        for (int i = 0; i < IN; i++) x[k][i] = (float)images[index[k]][i] * (1 / 255.0f);
}

static void forward(const float *input, int n) {
    for (int k = 0; k < n; k++) memcpy(h[k], b1, sizeof b1);
    if (n == 1)
        cblas_sgemv(CblasRowMajor, CblasTrans, IN, HIDDEN, 1, w1[0], HIDDEN, input, 1, 1, h[0], 1);
    else
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, HIDDEN, IN, 1, input, IN, w1[0], HIDDEN, 1,
                    h[0], HIDDEN);
    for (int k = 0; k < n; k++) {
        for (int o = 0; o < HIDDEN; o++) h[k][o] = h[k][o] > 0 ? h[k][o] : 0;
        memcpy(y[k], b2, sizeof b2);
    }
    if (n == 1)
        cblas_sgemv(CblasRowMajor, CblasTrans, HIDDEN, OUT, 1, w2[0], OUT, h[0], 1, 1, y[0], 1);
    else
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, OUT, HIDDEN, 1, h[0], HIDDEN, w2[0], OUT, 1,
                    y[0], OUT);
}

static void step(const uint32_t *index, int n) {
    const float rate = -0.01f;
    gather(index, n);
    forward(x[0], n);
    for (int k = 0; k < n; k++) {
        float top = y[k][0], sum = 0;
        for (int o = 1; o < OUT; o++) top = y[k][o] > top ? y[k][o] : top;
        for (int o = 0; o < OUT; o++) sum += y[k][o] = expf(y[k][o] - top);
        for (int o = 0; o < OUT; o++) y[k][o] = (y[k][o] / sum - (o == labels[index[k]])) / (float)n;
    }
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, n, HIDDEN, OUT, 1, y[0], OUT, w2[0], OUT, 0, dh[0], HIDDEN);
    for (int k = 0; k < n; k++)
        for (int o = 0; o < HIDDEN; o++) dh[k][o] = h[k][o] > 0 ? dh[k][o] : 0;
    /* The products add straight into the weights: no gradient is stored. */
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, HIDDEN, OUT, n, rate, h[0], HIDDEN, y[0], OUT, 1, w2[0], OUT);
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, IN, HIDDEN, n, rate, x[0], IN, dh[0], HIDDEN, 1, w1[0], HIDDEN);
    for (int k = 0; k < n; k++) {
        for (int o = 0; o < OUT; o++) b2[o] += rate * y[k][o];
        for (int o = 0; o < HIDDEN; o++) b1[o] += rate * dh[k][o];
    }
}

static void epoch(void) {
    for (uint32_t k = COUNT - 1; k > 0; k--) {
        uint32_t other = (uint32_t)(next() % (k + 1)), kept = order[k];
        order[k] = order[other];
        order[other] = kept;
    }
    for (int k = 0; k < COUNT; k += BATCH) step(order + k, COUNT - k < BATCH ? COUNT - k : BATCH);
}

static double accuracy(void) {
    int right = 0;
    for (int k = 0; k < COUNT; k++) {
        int best = 0;
        gather(&(uint32_t){(uint32_t)k}, 1);
        forward(x[0], 1);
        for (int o = 1; o < OUT; o++) best = y[0][o] > y[0][best] ? o : best;
        right += best == labels[k];
    }
    return 100.0 * right / COUNT;
}

/* Seconds for each of TIMES images, `n` at a time, out of the first 64. */
static double infer(int n) {
    uint32_t first[BATCH];
    for (uint32_t k = 0; k < BATCH; k++) first[k] = k;
    gather(first, BATCH);
    double start = now();
    for (int k = 0; k < TIMES; k += n) forward(x[k % BATCH], n);
    return (now() - start) / TIMES;
}

int main(int count, char **names) {
    if (count != 3) {
        fprintf(stderr, "usage: blas IMAGES LABELS (unpacked IDX files)\n");
        return 2;
    }
    load(names[1], 16, images, sizeof images);
    load(names[2], 8, labels, sizeof labels);
    for (uint32_t k = 0; k < COUNT; k++) order[k] = k;
    for (int i = 0; i < IN; i++)
        for (int o = 0; o < HIDDEN; o++) w1[i][o] = uniform() * sqrtf(6.0f / IN);
    for (int i = 0; i < HIDDEN; i++)
        for (int o = 0; o < OUT; o++) w2[i][o] = uniform() * sqrtf(3.0f / HIDDEN);
    char line[64];
    while (fgets(line, sizeof line, stdin)) {
        double answer, start = now();
        if (!strcmp(line, "epoch\n")) epoch(), answer = now() - start;
        else if (!strcmp(line, "one\n")) answer = infer(1);
        else if (!strcmp(line, "batch\n")) answer = infer(BATCH);
        else if (!strcmp(line, "accuracy\n")) answer = accuracy();
        else answer = -1;
        printf("%.9g\n", answer);
        fflush(stdout);
    }
}
