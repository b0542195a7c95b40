using System.Numerics;
using ImageMagick;

namespace Tamx.Testing;

/// <summary>
/// Renders the picture in samples/images: a red cup, a blue plate and a yellow lemon on a wooden table.
/// </summary>
/// <remarks>
/// A ray marcher over signed distances, with a soft light, a lens of finite aperture and some film grain.
/// </remarks>
public static class SampleScene
{
    public const int Width = 640;
    public const int Height = 480;

    private const int RaysPerPixel = 16;
    private const float LensRadius = 0.05f;
    private const float Farthest = 14;

    private static readonly Vector3 Eye = new(0.15f, 2.75f, -5.2f);
    private static readonly Vector3 Target = new(0.05f, 0.35f, 0.1f);
    private static readonly Vector3 ToLight = Vector3.Normalize(new Vector3(-0.75f, 1.15f, -0.45f));

    private enum Material
    {
        Table,
        Wall,
        Cup,
        CupInside,
        Plate,
        Lemon,
    }

    /// <summary>Renders and encodes the picture as JPEG.</summary>
    public static byte[] Render()
    {
        var pixels = new byte[Width * Height * 3];
        Parallel.For(
            0,
            Height,
            y =>
            {
                for (var x = 0; x < Width; x++)
                {
                    var colour = Vector3.Zero;
                    for (var ray = 0; ray < RaysPerPixel; ray++)
                    {
                        colour += Trace(x, y, ray);
                    }

                    var grain = 0.018f * (Noise(x, y, 91) - 0.5f);
                    colour = (colour / RaysPerPixel) + new Vector3(grain);
                    for (var channel = 0; channel < 3; channel++)
                    {
                        var displayed = MathF.Pow(Math.Clamp(colour[channel], 0, 1), 1 / 2.2f);
                        pixels[(((y * Width) + x) * 3) + channel] = (byte)MathF.Round(255 * displayed);
                    }
                }
            }
        );

        using MagickImage image = new();
        image.ReadPixels(pixels, new PixelReadSettings(Width, Height, StorageType.Char, PixelMapping.RGB));
        image.Quality = 88;
        image.Strip();
        return image.ToByteArray(MagickFormat.Jpeg);
    }

    private static Vector3 Trace(int x, int y, int ray)
    {
        var forward = Vector3.Normalize(Target - Eye);
        var right = Vector3.Normalize(Vector3.Cross(Vector3.UnitY, forward));
        var up = Vector3.Cross(forward, right);
        var u = (x + Noise(x, y, ray * 4) - (Width / 2f)) / Height;
        var v = ((Height / 2f) - y - Noise(x, y, (ray * 4) + 1)) / Height;
        var direction = Vector3.Normalize((forward * 1.45f) + (right * u) + (up * v));

        // All rays of a pixel meet where the lens is focused; nearer and farther things blur.
        var focus = Vector3.Distance(Eye, new Vector3(0, 0.4f, -0.4f));
        var angle = MathF.Tau * Noise(x, y, (ray * 4) + 2);
        var radius = LensRadius * MathF.Sqrt(Noise(x, y, (ray * 4) + 3));
        var lens = (right * (radius * MathF.Cos(angle))) + (up * (radius * MathF.Sin(angle)));
        var origin = Eye + lens;
        direction = Vector3.Normalize(Eye + (direction * focus) - origin);

        float travelled = 0;
        for (var step = 0; step < 160 && travelled < Farthest; step++)
        {
            var at = origin + (direction * travelled);
            (var distance, var material) = Distance(at);
            if (distance < 0.001f)
            {
                return Shade(at, direction, material);
            }

            travelled += distance * 0.9f;
        }

        return WallColour(origin + (direction * Farthest));
    }

    private static Vector3 Shade(Vector3 at, Vector3 direction, Material material)
    {
        var normal = NormalAt(at);
        (var colour, var gloss) = material switch
        {
            Material.Cup => (new Vector3(0.62f, 0.035f, 0.03f), 0.7f),
            Material.CupInside => (new Vector3(0.75f, 0.68f, 0.6f), 0.35f),
            Material.Plate => (PlateColour(at), 0.6f),
            Material.Lemon => (LemonColour(at), 0.25f),
            Material.Wall => (WallColour(at), 0f),
            _ => (WoodColour(at), 0.12f),
        };
        var light = MathF.Max(0, Vector3.Dot(normal, ToLight)) * Visibility(at + (normal * 0.01f));
        var sky = 0.5f + (0.5f * normal.Y);
        var half = Vector3.Normalize(ToLight - direction);
        var highlight = gloss * light * MathF.Pow(MathF.Max(0, Vector3.Dot(normal, half)), 60);
        var edge = gloss * 0.25f * MathF.Pow(1 - MathF.Max(0, -Vector3.Dot(normal, direction)), 4);
        var warm = new Vector3(1.0f, 0.95f, 0.86f) * (1.15f * light);
        var cool = new Vector3(0.36f, 0.4f, 0.47f) * (sky * Openness(at, normal));
        return (colour * (warm + cool)) + new Vector3(highlight + edge);
    }

    private static (float Distance, Material Material) Distance(Vector3 at)
    {
        (float Distance, Material Material) nearest = (at.Y, Material.Table);
        Nearer(ref nearest, 4.5f - at.Z, Material.Wall);
        var cup = at - new Vector3(-1.25f, 0, 0.35f);
        var widening = 0.5f + (0.12f * Math.Clamp(cup.Y, 0, 1.2f));
        var outer = Cylinder(cup - new Vector3(0, 0.6f, 0), widening, 0.6f) * 0.95f;
        var inner = Cylinder(cup - new Vector3(0, 0.72f, 0), widening - 0.07f, 0.62f) * 0.95f;
        var handle = Torus(Turned(cup - new Vector3(-0.58f, 0.62f, -0.08f)), 0.28f, 0.065f);
        Nearer(
            ref nearest,
            MathF.Min(MathF.Max(outer, -inner), MathF.Max(handle, -inner)),
            inner < 0.012f && cup.Y > 0.1f ? Material.CupInside : Material.Cup
        );
        var plate = at - new Vector3(1.3f, 0, 0.45f);
        var slope = 0.09f + (0.12f * Smooth(0.6f, 1.15f, new Vector2(plate.X, plate.Z).Length()));
        Nearer(ref nearest, Cylinder(plate - new Vector3(0, slope, 0), 1.1f, 0.012f) * 0.8f, Material.Plate);
        var lemon = at - new Vector3(0.02f, 0.37f, -1.05f);
        Nearer(ref nearest, Lemon(lemon), Material.Lemon);
        return nearest;
    }

    private static void Nearer(ref (float Distance, Material Material) nearest, float distance, Material material)
    {
        if (distance < nearest.Distance)
        {
            nearest = (distance, material);
        }
    }

    private static float Cylinder(Vector3 at, float radius, float halfHeight)
    {
        const float Rounding = 0.025f;
        Vector2 outside = new(
            new Vector2(at.X, at.Z).Length() - radius + Rounding,
            MathF.Abs(at.Y) - halfHeight + Rounding
        );
        return MathF.Min(MathF.Max(outside.X, outside.Y), 0) + Vector2.Max(outside, Vector2.Zero).Length() - Rounding;
    }

    private static float Torus(Vector3 at, float radius, float thickness) =>
        new Vector2(new Vector2(at.X, at.Y).Length() - radius, at.Z).Length() - thickness;

    /// <summary>The handle looks a little towards the camera.</summary>
    private static Vector3 Turned(Vector3 at)
    {
        (var sin, var cos) = MathF.SinCos(0.35f);
        return new Vector3((cos * at.X) + (sin * at.Z), at.Y, (cos * at.Z) - (sin * at.X));
    }

    private static float Lemon(Vector3 at)
    {
        (var sin, var cos) = MathF.SinCos(0.4f);
        Vector3 along = new((cos * at.X) + (sin * at.Z), at.Y, (cos * at.Z) - (sin * at.X));
        var body = Ellipsoid(along, new Vector3(0.52f, 0.37f, 0.37f));
        var tips = Ellipsoid(along, new Vector3(0.66f, 0.13f, 0.13f));
        var blend = Math.Clamp(0.5f + (0.5f * (tips - body) / 0.12f), 0, 1);
        var pores = 0.004f * (ValueNoise(along * 26) - 0.5f);
        return (((tips + ((body - tips) * blend)) - (0.12f * blend * (1 - blend))) + pores) * 0.8f;
    }

    private static float Ellipsoid(Vector3 at, Vector3 radii)
    {
        var scaled = (at / radii).Length();
        return scaled * (scaled - 1) / MathF.Max((at / (radii * radii)).Length(), 1e-4f);
    }

    private static Vector3 NormalAt(Vector3 at)
    {
        const float Step = 0.002f;
        float Slope(Vector3 axis) => Distance(at + (axis * Step)).Distance - Distance(at - (axis * Step)).Distance;
        return Vector3.Normalize(new Vector3(Slope(Vector3.UnitX), Slope(Vector3.UnitY), Slope(Vector3.UnitZ)));
    }

    /// <summary>How much of the (wide) light is seen: 0 in full shadow.</summary>
    private static float Visibility(Vector3 from)
    {
        float seen = 1;
        var travelled = 0.03f;
        while (travelled < 5 && seen > 0.01f)
        {
            var distance = Distance(from + (ToLight * travelled)).Distance;
            seen = MathF.Min(seen, 7 * distance / travelled);
            travelled += Math.Clamp(distance, 0.02f, 0.25f);
        }

        return Smooth(0, 1, MathF.Max(seen, 0));
    }

    /// <summary>How open the surroundings are: darker in corners and under things.</summary>
    private static float Openness(Vector3 at, Vector3 normal)
    {
        float hidden = 0;
        for (var i = 1; i <= 4; i++)
        {
            var reach = 0.12f * i;
            hidden += (reach - Distance(at + (normal * reach)).Distance) / (1 << i);
        }

        return Math.Clamp(1 - (2.6f * hidden), 0.15f, 1);
    }

    private static Vector3 WoodColour(Vector3 at)
    {
        var plank = MathF.Floor(at.Z / 1.35f);
        var seam = Smooth(0, 0.02f, MathF.Abs((at.Z / 1.35f) - plank - 0.5f) * -1 + 0.5f);
        var grain = ValueNoise(new Vector3((at.X * 0.7f) + (plank * 7.3f), plank * 3.1f, at.Z * 9));
        var fibre = ValueNoise(new Vector3((at.X * 3) + (plank * 5), 0, at.Z * 55));
        var tone = 0.55f + (0.45f * grain) + (0.22f * (fibre - 0.5f)) + (0.12f * (Noise((int)plank + 50, 3, 1) - 0.5f));
        return new Vector3(0.42f, 0.235f, 0.115f) * tone * (0.45f + (0.55f * seam));
    }

    private static Vector3 WallColour(Vector3 at)
    {
        var glow = 0.5f + (0.5f * Smooth(4, -4, at.X));
        var stain = ValueNoise(new Vector3(at.X * 0.5f, at.Y * 0.5f, 9));
        return Vector3.Lerp(new Vector3(0.2f, 0.25f, 0.22f), new Vector3(0.5f, 0.52f, 0.43f), glow)
            * (0.85f + (0.3f * stain));
    }

    private static Vector3 PlateColour(Vector3 at)
    {
        var radius = new Vector2(at.X - 1.3f, at.Z - 0.45f).Length();
        var ring = Smooth(0.95f, 0.97f, radius) - Smooth(1.02f, 1.04f, radius);
        return Vector3.Lerp(new Vector3(0.035f, 0.12f, 0.5f), new Vector3(0.5f, 0.62f, 0.8f), ring);
    }

    private static Vector3 LemonColour(Vector3 at) =>
        Vector3.Lerp(new Vector3(0.86f, 0.6f, 0.03f), new Vector3(0.72f, 0.6f, 0.06f), ValueNoise(at * 4));

    private static float Smooth(float from, float to, float value)
    {
        var t = Math.Clamp((value - from) / (to - from), 0, 1);
        return t * t * (3 - (2 * t));
    }

    /// <summary>A number in [0, 1) that looks random but depends on its arguments alone.</summary>
    private static float Noise(int x, int y, int z)
    {
        var hash = unchecked(((uint)x * 0x9E3779B1) ^ ((uint)y * 0x85EBCA77) ^ ((uint)z * 0xC2B2AE3D));
        hash = unchecked((hash ^ (hash >> 15)) * 0x2C1B3C6D);
        hash = unchecked((hash ^ (hash >> 12)) * 0x297A2D39);
        return ((hash ^ (hash >> 15)) >> 8) / (float)(1 << 24);
    }

    /// <summary>Noise at whole coordinates, smooth in between.</summary>
    private static float ValueNoise(Vector3 at)
    {
        var x = (int)MathF.Floor(at.X);
        var y = (int)MathF.Floor(at.Y);
        var z = (int)MathF.Floor(at.Z);
        var fx = Smooth(0, 1, at.X - x);
        var fy = Smooth(0, 1, at.Y - y);
        var fz = Smooth(0, 1, at.Z - z);
        float Edge(int dy, int dz) => float.Lerp(Noise(x, y + dy, z + dz), Noise(x + 1, y + dy, z + dz), fx);
        return float.Lerp(float.Lerp(Edge(0, 0), Edge(1, 0), fy), float.Lerp(Edge(0, 1), Edge(1, 1), fy), fz);
    }
}
