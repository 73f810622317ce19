"""Prints the polynomial coefficients of motenet's elementary functions (needs mpmath).

Every function is head(x) + tail(x)·q(t(x)) with q the polynomial that minimises
max |weight·(goal − q)|, where weight = tail/f turns an error of q into a relative error of f. The coefficients are then rounded to f32 one by one, lowest degree first, and after each rounding
the others are fitted again, so that they absorb what was rounded away.
"""

from mpmath import mp, mpf, matrix, lu_solve, polyval, exp, expm1, log, log1p, tanh, sin, cos, pi, sqrt, frexp, ldexp, nint

mp.dps = 60
NODES, ROUNDS = 150, 40


def f32(x):
    """Rounds to 24 significant bits, ties to even."""
    m, e = frexp(x)
    return ldexp(nint(ldexp(m, 24)), e - 24)


def minimax(goal, weight, lo, hi, n):
    """The n coefficients that minimise max |weight·(goal − Σ c_k·t^k)|: Lawson's iteration.

    Least squares at Chebyshev nodes, each node's square weighed again by its error until the errors
    are level: slower than Remez' exchange, but no zero of the weight can mislead it.
    """
    ts = [(lo + hi) / 2 - (hi - lo) / 2 * cos(pi * (i + mpf("0.5")) / NODES) for i in range(NODES)]
    gs, ws = [goal(t) for t in ts], [weight(t) ** 2 for t in ts]
    share = [mpf(1) / NODES] * NODES
    for _ in range(ROUNDS):
        mass = [s * w for s, w in zip(share, ws)]
        moments = []
        for k in range(2 * n - 1):
            moments.append(sum(mass))
            if k < n:
                moments_g = (moments_g if k else []) + [sum(m * g for m, g in zip(mass, gs))]
            mass = [m * t for m, t in zip(mass, ts)]
        normal = matrix(n, n)
        for i in range(n):
            for j in range(n):
                normal[i, j] = moments[i + j]
        c = list(lu_solve(normal, matrix(moments_g)))
        errors = [sqrt(w) * abs(g - polyval(c[::-1], t)) for t, g, w in zip(ts, gs, ws)]
        share = [s * e for s, e in zip(share, errors)]
        total = sum(share)
        share = [s / total for s in share]
    return c


def fit(name, goal, weight, lo, hi, degree):
    """Fits, rounding one coefficient to f32 after another."""
    ends = [mpf(lo) + (mpf(hi) - mpf(lo)) * k / 1001 for k in range(1002)]

    def worst(c):
        e = max(abs(weight(t) * (goal(t) - polyval(c[::-1], t))) for t in ends)
        return mp.nstr(log(e, 2), 5)

    fixed = []
    for i in range(degree + 1):
        rest = lambda t: (goal(t) - sum(c * t**k for k, c in enumerate(fixed))) / t**i
        c = minimax(rest, lambda t: weight(t) * t**i, mpf(lo), mpf(hi), degree + 1 - i)
        if i == 0:
            print(f"{name}: degree {degree}, minimax 2^{worst(c)}", end="")
        fixed.append(f32(c[0]))
    print(f", with f32 coefficients 2^{worst(fixed)}")
    for k, c in enumerate(fixed):
        print(f"    {k}: {mp.nstr(c, 9)}")


def split(name, x, bits):
    """x = hi + lo: hi with so few bits that its product with a small integer is exact."""
    m, e = frexp(x)
    hi = ldexp(nint(ldexp(m, bits)), e - bits)
    print(f"{name}: hi {mp.nstr(hi, 17)} lo {mp.nstr(f32(x - hi), 17)}")


ln2 = log(mpf(2))
split("ln 2", ln2, 16)
split("pi", pi, 24)
print(f"1/ln 2: {mp.nstr(f32(1 / ln2), 17)}")
h = ln2 / 2 * (1 + mpf(2) ** -20)
fit("exp", lambda r: (expm1(r) - r) / r**2, lambda r: r**2 / exp(r), -h, h, 4)
fit("ln", lambda f: (log1p(f) - f) / f**2, lambda f: f**2 / log1p(f), sqrt(mpf(2)) / 2 - 1, sqrt(mpf(2)) - 1,
    8)
fit("tanh", lambda s: (tanh(sqrt(s)) - sqrt(s)) / sqrt(s) ** 3, lambda s: sqrt(s) ** 3 / tanh(sqrt(s)),
    mpf(2) ** -20, mpf("0.36"), 4)
p_hi = f32(pi)
p_lo = f32(pi - p_hi)
fit("cos_pi, sine", lambda s: (sin(pi * sqrt(s)) / sqrt(s) - p_hi - p_lo) / s, lambda s: sqrt(s) ** 3,
    mpf(2) ** -20, mpf(1) / 16, 2)
fit("cos_pi, cosine", lambda s: (cos(pi * sqrt(s)) - 1) / s, lambda s: s, mpf(2) ** -20, mpf(1) / 16, 3)
