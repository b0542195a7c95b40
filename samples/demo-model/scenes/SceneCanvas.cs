namespace Tamx.Scenes;

/// <summary>Draws a scene: background, then objects with smooth edges, and the label map beside it.</summary>
internal sealed class SceneCanvas(int size)
{
    private const int LinesPerPixel = 4;

    /// <summary>The objects' colours in the order of <see cref="SceneColor"/>.</summary>
    private static readonly (int Red, int Green, int Blue)[] Paints =
    [
        (205, 35, 40), (240, 135, 25), (240, 220, 45), (40, 150, 60), (45, 85, 210), (135, 55, 165), (242, 242, 242), (22, 22, 24),
    ];

    public byte[] Rgb { get; } = new byte[size * size * 3];

    public byte[] Labels { get; } = new byte[size * size];

    /// <summary>A gradient between four greyish corners, translucent blocks, and noise.</summary>
    public void DrawBackground(ref SceneRandom random)
    {
        Span<double> corners = stackalloc double[12];
        for (int corner = 0; corner < 4; corner++)
        {
            MutedColor(ref random, corners.Slice(corner * 3, 3));
        }

        double[] pixels = new double[size * size * 3];
        for (int y = 0; y < size; y++)
        {
            double down = (double)y / (size - 1);
            for (int x = 0; x < size; x++)
            {
                double right = (double)x / (size - 1);
                for (int channel = 0; channel < 3; channel++)
                {
                    double top = corners[channel] + (right * (corners[3 + channel] - corners[channel]));
                    double bottom = corners[6 + channel] + (right * (corners[9 + channel] - corners[6 + channel]));
                    pixels[(((y * size) + x) * 3) + channel] = top + (down * (bottom - top));
                }
            }
        }

        DrawBlocks(ref random, pixels);
        int noise = random.Between(6, 22);
        for (int i = 0; i < size * size; i++)
        {
            int value = (int)(random.NextBits() >> 32 & 0xFFFF) * ((2 * noise) + 1) / 0x10000 - noise;
            for (int channel = 0; channel < 3; channel++)
            {
                Rgb[(i * 3) + channel] = ToByte(pixels[(i * 3) + channel] + value);
            }
        }
    }

    /// <summary>Draws an object over what is there; pixels that it covers by half or more get its label.</summary>
    public void Draw(SceneObject item, ref SceneRandom random)
    {
        (int red, int green, int blue) = Paints[(int)item.Color];
        Span<double> paint = stackalloc double[3];
        paint[0] = red + random.Between(-14, 14);
        paint[1] = green + random.Between(-14, 14);
        paint[2] = blue + random.Between(-14, 14);
        double shade = random.Between(-0.12, 0.12);

        (double X, double Y)[][] contours = Place(item);
        int top = Math.Max(0, (int)(item.CenterY - item.Radius) - 2);
        int bottom = Math.Min(size - 1, (int)(item.CenterY + item.Radius) + 2);
        double[] coverage = new double[size];
        List<double> crossings = [];
        for (int y = top; y <= bottom; y++)
        {
            Array.Clear(coverage);
            for (int line = 0; line < LinesPerPixel; line++)
            {
                FindCrossings(contours, y + ((line + 0.5) / LinesPerPixel), crossings);
                for (int i = 0; i + 1 < crossings.Count; i += 2)
                {
                    AddSpan(coverage, crossings[i], crossings[i + 1]);
                }
            }

            double light = 1 + (shade * (y - item.CenterY) / item.Radius);
            for (int x = 0; x < size; x++)
            {
                double share = coverage[x] / LinesPerPixel;
                if (share <= 0)
                {
                    continue;
                }

                int pixel = (y * size) + x;
                for (int channel = 0; channel < 3; channel++)
                {
                    double old = Rgb[(pixel * 3) + channel];
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
        for (int count = random.Between(3, 8); count > 0; count--)
        {
            MutedColor(ref random, color);
            double strength = random.Between(0.25, 0.75);
            (int left, int top) = (random.Next(size - 16), random.Next(size - 16));
            int right = Math.Min(size, left + random.Between(size / 16, size / 2));
            int bottom = Math.Min(size, top + random.Between(size / 16, size / 2));
            for (int y = top; y < bottom; y++)
            {
                for (int x = left; x < right; x++)
                {
                    for (int channel = 0; channel < 3; channel++)
                    {
                        ref double value = ref pixels[(((y * size) + x) * 3) + channel];
                        value += strength * (color[channel] - value);
                    }
                }
            }
        }
    }

    private static void MutedColor(ref SceneRandom random, Span<double> color)
    {
        int gray = random.Between(92, 168);
        for (int channel = 0; channel < 3; channel++)
        {
            color[channel] = gray + random.Between(-20, 20);
        }
    }

    private static (double X, double Y)[][] Place(SceneObject item)
    {
        double square = item.Tilt * item.Tilt;
        double cosine = (1 - square) / (1 + square);
        double sine = 2 * item.Tilt / (1 + square);
        return [.. ShapeOutlines.Of(item.Shape).Select(contour => contour.Select(point => (
            item.CenterX + (item.Radius * ((point.X * cosine) - (point.Y * sine))),
            item.CenterY + (item.Radius * ((point.X * sine) + (point.Y * cosine))))).ToArray())];
    }

    private static void FindCrossings((double X, double Y)[][] contours, double y, List<double> crossings)
    {
        crossings.Clear();
        foreach ((double X, double Y)[] contour in contours)
        {
            (double X, double Y) last = contour[^1];
            foreach ((double X, double Y) next in contour)
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
        for (int x = (int)left; x < right; x++)
        {
            coverage[x] += Math.Min(right, x + 1) - Math.Max(left, x);
        }
    }

    private static byte ToByte(double value) => (byte)Math.Clamp((int)(value + 0.5), 0, 255);
}
