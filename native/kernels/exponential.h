// exp(x) for x <= 0, relative error about 1e-7; 0 below -87. 2^f by Taylor's series in f ln 2, |f| <= 1/2.
FUNCTION float exponential(float x)
{
    float power = x * 1.44269504f;
    float whole = ROUND(power > -126.0f ? power : -126.0f);
    float rest = FMA(x, 1.44269504f, -whole);
    rest = FMA(x, 1.925963033e-8f, rest);
    float value = 1.52527338e-5f;
    value = FMA(value, rest, 1.54035304e-4f);
    value = FMA(value, rest, 1.33335581e-3f);
    value = FMA(value, rest, 9.61812911e-3f);
    value = FMA(value, rest, 5.55041087e-2f);
    value = FMA(value, rest, 2.40226507e-1f);
    value = FMA(value, rest, 6.93147181e-1f);
    value = FMA(value, rest, 1.0f);
    return x < -87.0f ? 0.0f : value * BITS_FLOAT((unsigned int)((int)whole + 127) << 23);
}
