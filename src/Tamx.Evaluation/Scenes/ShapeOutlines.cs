namespace Tamx.Evaluation.Scenes;

/// <summary>The shapes' outlines, inside the unit circle. Several contours are filled by the even-odd rule.</summary>
/// <remarks>
/// Only + - * / and square roots, which IEEE 754 fixes to the last bit. Sines come from turning a point step by step.
/// </remarks>
internal static class ShapeOutlines
{
    private const int CircleSteps = 60;

    /// <summary>Cosine and sine of 2 pi / 60.</summary>
    private const double StepCosine = 0.99452189536827333692;
    private const double StepSine = 0.10452846326765347140;

    private static readonly (double X, double Y)[] UnitCircle = MakeUnitCircle();

    private static readonly (double X, double Y)[][][] Outlines = [.. Enum.GetValues<SceneShape>().Select(Make)];

    /// <summary>The contours of a shape; y grows downwards.</summary>
    public static (double X, double Y)[][] Of(SceneShape shape) => Outlines[(int)shape];

    private static (double X, double Y)[][] Make(SceneShape shape) =>
        shape switch
        {
            SceneShape.Circle => [Scaled(UnitCircle, 0.92)],
            SceneShape.Square =>
            [
                [(-0.82, -0.82), (0.82, -0.82), (0.82, 0.82), (-0.82, 0.82)],
            ],
            SceneShape.Triangle =>
            [
                [(0, -0.98), (0.98, 0.74), (-0.98, 0.74)],
            ],
            SceneShape.Star => [Star()],
            SceneShape.Cross =>
            [
                [
                    (-0.42, -0.94),
                    (0.42, -0.94),
                    (0.42, -0.42),
                    (0.94, -0.42),
                    (0.94, 0.42),
                    (0.42, 0.42),
                    (0.42, 0.94),
                    (-0.42, 0.94),
                    (-0.42, 0.42),
                    (-0.94, 0.42),
                    (-0.94, -0.42),
                    (-0.42, -0.42),
                ],
            ],
            SceneShape.Ring => [Scaled(UnitCircle, 0.96), Scaled(UnitCircle, 0.32)],
            SceneShape.Diamond =>
            [
                [(0, -1), (0.8, 0), (0, 1), (-0.8, 0)],
            ],
            SceneShape.Heart => [Heart()],
            _ => throw new ArgumentOutOfRangeException(nameof(shape)),
        };

    private static (double X, double Y)[] MakeUnitCircle()
    {
        var points = new (double X, double Y)[CircleSteps];
        var (x, y) = (0.0, -1.0);
        for (var i = 0; i < CircleSteps; i++)
        {
            points[i] = (x, y);
            (x, y) = ((x * StepCosine) - (y * StepSine), (x * StepSine) + (y * StepCosine));
        }

        return points;
    }

    private static (double X, double Y)[] Scaled((double X, double Y)[] points, double scale) =>
        [.. points.Select(point => (point.X * scale, point.Y * scale))];

    private static (double X, double Y)[] Star() =>
        [
            .. from i in Enumerable.Range(0, 10)
            let point = UnitCircle[i * CircleSteps / 10]
            let scale = i % 2 == 0 ? 1.0 : 0.6
            select (point.X * scale, point.Y * scale),
        ];

    /// <summary>x = 16 sin^3 t, y = 13 cos t - 5 cos 2t - 2 cos 3t - cos 4t, shrunk to the unit circle.</summary>
    private static (double X, double Y)[] Heart() =>
        [
            .. UnitCircle.Select(point =>
            {
                var (sine, cosine) = (point.X, -point.Y);
                var cosine2 = (2 * cosine * cosine) - 1;
                var cosine3 = (2 * cosine * cosine2) - cosine;
                var cosine4 = (2 * cosine2 * cosine2) - 1;
                var up = (13 * cosine) - (5 * cosine2) - (2 * cosine3) - cosine4;
                return (16 * sine * sine * sine / 17.0, (-up - 2.5) / 17.0);
            }),
        ];
}
