/* tiny: a neural network of integers, 2-3-4-2. tiny.h says how to use it. Written by motenet.
 *
 * sum[o] = bias[o] + x[0]*w[0][o] + x[1]*w[1][o] + ...; the last layer's sums are the logits.
 * Every sum fits 32 bits whatever the input: that was checked when this was written.
 */
#include "tiny.h"

/* How a sum becomes an activation from 0 to 255: about sum * multiplier * 2^drop / 2^shift. */
struct rule {
    uint32_t limit; /* from here on the activation is 255 */
    uint16_t multiplier;
    uint8_t drop;
    uint8_t shift;
};

/* Layer 1: 2 inputs, 3 outputs; the weights of input 0 to every output, of input 1, ... */
static const int8_t weights_1[6] = {
    -127, -77, -27,
    23, 73, 123,
};

static const int32_t bias_1[3] = {
    -500, 500, 1500,
};

static const struct rule rules_1[3] = {
    {25551u, 41943u, 0, 22}, {25551u, 41943u, 0, 22}, {25551u, 41943u, 0, 22},
};

/* Layer 2: 3 inputs, 4 outputs; the weights of input 0 to every output, of input 1, ... */
static const int8_t weights_2[12] = {
    -127, -77, -27, 23,
    73, 123, -82, -32,
    18, 68, 118, -87,
};

static const int32_t bias_2[4] = {
    -500, 500, 1500, 2500,
};

static const struct rule rules_2[4] = {
    {25551u, 41943u, 0, 22}, {25551u, 41943u, 0, 22}, {25551u, 41943u, 0, 22},
    {25551u, 41943u, 0, 22},
};

/* Layer 3: 4 inputs, 2 outputs; the weights of input 0 to every output, of input 1, ... */
static const int8_t weights_3[8] = {
    -127, -77,
    -27, 23,
    73, 123,
    -82, -32,
};

static const int32_t bias_3[2] = {
    -500, 500,
};

/* y = bias + x * weights. An input of zero adds nothing, so its row is skipped. */
static void sums(const uint8_t *x, uint32_t inputs, const int8_t *weights, const int32_t *bias,
                 uint32_t outputs, int32_t *y)
{
    uint32_t i, o;

    for (o = 0; o < outputs; o++) {
        y[o] = bias[o];
    }
    for (i = 0; i < inputs; i++) {
        const int32_t value = x[i];
        const int8_t *row = weights + i * outputs;

        if (value == 0) {
            continue;
        }
        for (o = 0; o < outputs; o++) {
            y[o] += value * row[o];
        }
    }
}

/* Rectified, scaled, rounded (halves up), saturated. The product fits 32 bits: that was checked too. */
static void activate(const int32_t *sum, const struct rule *rules, uint32_t outputs, uint8_t *y)
{
    uint32_t o;

    for (o = 0; o < outputs; o++) {
        const struct rule rule = rules[o];
        const uint32_t half = ((uint32_t)1 << rule.shift) >> 1;
        uint32_t t = sum[o] > 0 ? (uint32_t)sum[o] : 0;

        if (t > rule.limit) {
            t = rule.limit;
        }
        t = ((t >> rule.drop) * (uint32_t)rule.multiplier + half) >> rule.shift;
        y[o] = (uint8_t)(t > 255 ? 255 : t);
    }
}

void tiny_logits(const uint8_t *input, int32_t *logits)
{
    int32_t sum[4];
    uint8_t hidden[4];

    sums(input, 2, weights_1, bias_1, 3, sum);
    activate(sum, rules_1, 3, hidden);
    sums(hidden, 3, weights_2, bias_2, 4, sum);
    activate(sum, rules_2, 4, hidden);
    sums(hidden, 4, weights_3, bias_3, 2, logits);
}

int tiny_classify(const uint8_t *input)
{
    int32_t logits[TINY_CLASSES];
    uint32_t best = 0, k;

    tiny_logits(input, logits);
    for (k = 1; k < TINY_CLASSES; k++) {
        if (logits[k] > logits[best]) {
            best = k;
        }
    }
    return (int)best;
}

/* 2^15 * 2^(-k/32), rounded. */
static const uint16_t powers[33] = {
    32768, 32066, 31379, 30706, 30048, 29405, 28774, 28158, 27554, 26964, 26386, 25821, 25268,
    24726, 24196, 23678, 23170, 22674, 22188, 21713, 21247, 20792, 20347, 19911, 19484, 19066,
    18658, 18258, 17867, 17484, 17109, 16743, 16384,
};

/* 2^15 * e^-d for a logit that lies d below the largest: 2^-16 is nothing, so t stays below 16 * 1024. */
static uint32_t power(uint32_t below)
{
    uint32_t t, k;

    if (below >= 11091u) {
        return 0;
    }
    t = ((below >> 0) * 48409u + ((uint32_t)1 << 15) / 2) >> 15;
    k = (t >> 5) & 31;
    t = (powers[k] - (((uint32_t)(powers[k] - powers[k + 1]) * (t & 31) + 16) >> 5)) >> (t >> 10);
    return t;
}

uint16_t tiny_confidence(const int32_t *logits)
{
    int32_t largest = logits[0];
    uint32_t sum = 0, k;

    for (k = 1; k < TINY_CLASSES; k++) {
        largest = logits[k] > largest ? logits[k] : largest;
    }
    for (k = 0; k < TINY_CLASSES; k++) {
        sum += power((uint32_t)largest - (uint32_t)logits[k]);
    }
    sum = ((uint32_t)1 << 31) / sum;
    return (uint16_t)(sum > 65535 ? 65535 : sum);
}
