// What cuBLAS leaves over of a training step; the same formulas as the WGSL files.

struct Batch { unsigned first, rows; float scale, smoothing, rate, root, keep; };

extern "C" __global__ void gather(Batch batch, unsigned width, float scale,
    const unsigned char* source, const unsigned* order, float* x)
{
    unsigned at = blockIdx.x * blockDim.x + threadIdx.x;
    if (at >= batch.rows * width) return;
    x[at] = source[(size_t)order[batch.first + at / width] * width + at % width] * scale;
}

// y = f(y + bias)
extern "C" __global__ void activate(Batch batch, unsigned width, unsigned kind, unsigned has_bias,
    const float* bias, float* y)
{
    unsigned at = blockIdx.x * blockDim.x + threadIdx.x;
    if (at >= batch.rows * width) return;
    float x = y[at] + (has_bias ? bias[at % width] : 0.0f);
    y[at] = kind == 1 ? (x <= 0.0f ? 0.0f : x)
        : kind == 2 ? 1.0f / (1.0f + expf(-x))
        : kind == 3 ? tanhf(x) : x;
}

// dx = dx·f′(x), from y = f(x)
extern "C" __global__ void slope(Batch batch, unsigned width, unsigned kind, const float* y, float* dx)
{
    unsigned at = blockIdx.x * blockDim.x + threadIdx.x;
    if (at >= batch.rows * width) return;
    float v = y[at];
    dx[at] *= kind == 1 ? (v <= 0.0f ? 0.0f : 1.0f) : kind == 2 ? v * (1.0f - v) : kind == 3 ? 1.0f - v * v : 1.0f;
}

extern "C" __global__ void loss(Batch batch, unsigned width, const float* all, const unsigned* labels,
    const unsigned* order, float* dy, float2* metrics)
{
    unsigned n = blockIdx.x * blockDim.x + threadIdx.x;
    if (n >= batch.rows) return;
    const float* y = all + n * width;
    unsigned label = labels[order[batch.first + n]], best = 0;
    float largest = y[0], sum = 0.0f, wanted = 0.0f;
    for (unsigned k = 1; k < width; k++)
        if (y[k] > largest) { largest = y[k]; best = k; }
    float spread = batch.smoothing / width, on_target = 1.0f - batch.smoothing + spread;
    for (unsigned k = 0; k < width; k++) {
        sum += expf(y[k] - largest);
        wanted += (k == label ? on_target : spread) * (y[k] - largest);
    }
    for (unsigned k = 0; k < width; k++)
        dy[n * width + k] = (expf(y[k] - largest) / sum - (k == label ? on_target : spread)) * batch.scale;
    metrics[batch.first + n] = make_float2(logf(sum) - wanted, best == label ? 1.0f : 0.0f);
}

// One block of 256.
extern "C" __global__ void totals(Batch batch, const float2* metrics, float2* total)
{
    __shared__ float2 sums[256];
    float2 sum = make_float2(0.0f, 0.0f);
    for (unsigned n = threadIdx.x; n < batch.rows; n += 256) {
        sum.x += metrics[batch.first + n].x;
        sum.y += metrics[batch.first + n].y;
    }
    sums[threadIdx.x] = sum;
    for (unsigned half = 128; half > 0; half /= 2) {
        __syncthreads();
        if (threadIdx.x < half) {
            sums[threadIdx.x].x += sums[threadIdx.x + half].x;
            sums[threadIdx.x].y += sums[threadIdx.x + half].y;
        }
    }
    if (threadIdx.x == 0) *total = sums[0];
}

struct Rule { unsigned kind; float penalty, mu, beta_1, beta_2, epsilon; };

extern "C" __global__ void update(Batch batch, Rule rule, unsigned count, const float* grad, float* w,
    float* m, float* v)
{
    unsigned at = blockIdx.x * blockDim.x + threadIdx.x;
    if (at >= count) return;
    float g = grad[at] + rule.penalty * w[at];
    if (rule.kind == 0) {
        w[at] -= batch.rate * g;
    } else if (rule.kind == 3) {
        m[at] += (1.0f - rule.beta_1) * (g - m[at]);
        v[at] += (1.0f - rule.beta_2) * (g * g - v[at]);
        w[at] = batch.keep * w[at] - batch.rate * (m[at] / (sqrtf(v[at]) * batch.root + rule.epsilon));
    } else {
        m[at] = rule.mu * m[at] + g;
        w[at] -= batch.rate * (rule.kind == 2 ? rule.mu * m[at] + g : m[at]);
    }
}
