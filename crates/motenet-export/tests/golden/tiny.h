/* tiny: a neural network of integers, 2-3-4-2. Written by motenet: change the model, not this.
 *
 * Compile tiny.c along with your program, as C99 or C++11; it needs <stdint.h> alone. Then
 *
 *     uint8_t input[TINY_INPUTS];
 *     ... fill it: 0 to 255 each, as in training ...
 *     int found = tiny_classify(input);
 *
 * Flash: 118 bytes of constants, and the code.
 * Stack: 20 bytes in tiny_logits, 28 in tiny_classify, and what calls take.
 * No other memory: no heap, nothing that changes between calls, so any thread may call.
 * Where constants are copied to RAM (AVR, for one) they take RAM too.
 */
#ifndef TINY_H
#define TINY_H

#include <stdint.h>

#define TINY_INPUTS 2
#define TINY_CLASSES 2

#ifdef __cplusplus
extern "C" {
#endif

/* Reads TINY_INPUTS numbers and writes TINY_CLASSES: the larger, the likelier. */
void tiny_logits(const uint8_t *input, int32_t *logits);

/* The class with the largest logit, from 0; the first one if several are equal. */
int tiny_classify(const uint8_t *input);

/* How sure it is of the class with the largest logit, in 65536ths: 65535 means certain. */
uint16_t tiny_confidence(const int32_t *logits);

#ifdef __cplusplus
}
#endif

#endif
