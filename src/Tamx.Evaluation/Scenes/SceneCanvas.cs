namespace Tamx.Evaluation.Scenes;

/// <summary>Draws a scene: background, then objects with smooth edges, and the label map beside it.</summary>
internal sealed class SceneCanvas(int size)
{
    private const int LinesPerPixel = 4;

    /// <summary>The objects' colours in the order of <see cref="SceneColor"/>.</summary>
    private static readonly (int Red, int Green, int Blue)[] Paints =
    [
        (205, 35, 40),
        (240, 135, 25),
        (240, 220, 45),
        (40, 150, 60),
        (45, 85, 210),
        (135, 55, 165),
        (242, 242, 242),
        (22, 22, 24),
    ];

    public byte[] Rgb { get; } = new byte[size * size * 3];

    public byte[] Labels { get; } = new byte[size * size];

    /// <summary>A gradient between four greyish corners, translucent blocks, and noise.</summary>
    public void DrawBackground(ref SceneRandom random)
    {
        Span<double> corners = stackalloc double[12];
        for (var corner = 0; corner < 4; corner++)
        {
            MutedColor(ref random, corners.Slice(corner * 3, 3));
        }

        var pixels = new double[size * size * 3];
        for (var y = 0; y < size; y++)
        {
            var down = (double)y / (size - 1);
            for (var x = 0; x < size; x++)
            {
                var right = (double)x / (size - 1);
                for (var channel = 0; channel < 3; channel++)
                {
                    var top = corners[channel] + (right * (corners[3 + channel] - corners[channel]));
                    var bottom = corners[6 + channel] + (right * (corners[9 + channel] - corners[6 + channel]));
                    pixels[(((y * size) + x) * 3) + channel] = top + (down * (bottom - top));
                }
            }
        }

        DrawBlocks(ref random, pixels);
        var noise = random.Between(6, 22);
        for (var i = 0; i < size * size; i++)
        {
            var value = (int)(random.NextBits() >> 32 & 0xFFFF) * ((2 * noise) + 1) / 0x10000 - noise;
            for (var channel = 0; channel < 3; channel++)
            {
                Rgb[(i * 3) + channel] = ToByte(pixels[(i * 3) + channel] + value);
            }
        }
    }

    /// <summary>Draws an object over what is there. Pixels that it covers by half or more get its label.</summary>
    public void Draw(SceneObject item, ref SceneRandom random)
    {
        var (red, green, blue) = Paints[(int)item.Color];
        Span<double> paint = stackalloc double[3];
        paint[0] = red + random.Between(-14, 14);
        paint[1] = green + random.Between(-14, 14);
        paint[2] = blue + random.Between(-14, 14);
        var shade = random.Between(-0.12, 0.12);

        var contours = Place(item);
        var top = Math.Max(0, (int)(item.CenterY - item.Radius) - 2);
        var bottom = Math.Min(size - 1, (int)(item.CenterY + item.Radius) + 2);
        var coverage = new double[size];
        var crossings = new List<double>();
        for (var y = top; y <= bottom; y++)
        {
            Array.Clear(coverage);
            for (var line = 0; line < LinesPerPixel; line++)
            {
                FindCrossings(contours, y + ((line + 0.5) / LinesPerPixel), crossings);
                for (var i = 0; i + 1 < crossings.Count; i += 2)
                {
                    AddSpan(coverage, crossings[i], crossings[i + 1]);
                }
            }

            var light = 1 + (shade * (y - item.CenterY) / item.Radius);
            for (var x = 0; x < size; x++)
            {
                var share = coverage[x] / LinesPerPixel;
                if (share <= 0)
                {
                    continue;
                }

                var pixel = (y * size) + x;
                for (var channel = 0; channel < 3; channel++)
                {
                    var old = Rgb[(pixel * 3) + channel];
                    Rgb[(pixel * 3) + channel] = ToByte(old + (share * ((paint[channel] * light) - old)));
                }

                if (share >= 0.5)
                {
                    Labels[pixel] = (byte)(item.Id + 1);
                }
            }
        }
    }

    private void DrawBlocks(ref SceneRandom random, double[] pixels)
    {
        Span<double> color = stackalloc double[3];
        for (var count = random.Between(3, 8); count > 0; count--)
        {
            MutedColor(ref random, color);
            var strength = random.Between(0.25, 0.75);
            var (left, top) = (random.Next(size - 16), random.Next(size - 16));
            var right = Math.Min(size, left + random.Between(size / 16, size / 2));
            var bottom = Math.Min(size, top + random.Between(size / 16, size / 2));
            for (var y = top; y < bottom; y++)
            {
                for (var x = left; x < right; x++)
                {
                    for (var channel = 0; channel < 3; channel++)
                    {
                        ref var value = ref pixels[(((y * size) + x) * 3) + channel];
                        value += strength * (color[channel] - value);
                    }
                }
            }
        }
    }

    private static void MutedColor(ref SceneRandom random, Span<double> color)
    {
        var gray = random.Between(92, 168);
        for (var channel = 0; channel < 3; channel++)
        {
            color[channel] = gray + random.Between(-20, 20);
        }
    }

    private static (double X, double Y)[][] Place(SceneObject item)
    {
        var square = item.Tilt * item.Tilt;
        var cosine = (1 - square) / (1 + square);
        var sine = 2 * item.Tilt / (1 + square);
        return Array.ConvertAll(
            ShapeOutlines.Of(item.Shape),
            contour =>
                Array.ConvertAll(
                    contour,
                    point =>
                        (
                            item.CenterX + (item.Radius * ((point.X * cosine) - (point.Y * sine))),
                            item.CenterY + (item.Radius * ((point.X * sine) + (point.Y * cosine)))
                        )
                )
        );
    }

    private static void FindCrossings((double X, double Y)[][] contours, double y, List<double> crossings)
    {
        crossings.Clear();
        foreach (var contour in contours)
        {
            var last = contour[^1];
            foreach (var next in contour)
            {
                if (last.Y <= y != next.Y <= y)
                {
                    crossings.Add(last.X + ((y - last.Y) / (next.Y - last.Y) * (next.X - last.X)));
                }

                last = next;
            }
        }

        crossings.Sort();
    }

    private static void AddSpan(double[] coverage, double left, double right)
    {
        left = Math.Clamp(left, 0, coverage.Length);
        right = Math.Clamp(right, 0, coverage.Length);
        for (var x = (int)left; x < right; x++)
        {
            coverage[x] += Math.Min(right, x + 1) - Math.Max(left, x);
        }
    }

    private static byte ToByte(double value) => (byte)Math.Clamp((int)(value + 0.5), 0, 255);
}
