namespace Tamx.Evaluation.Scenes;

/// <summary>Decides which objects a scene has and where they stand, so that only one caption is right.</summary>
internal static class SceneLayout
{
    /// <summary>Distances are given for this size of picture.</summary>
    public const double BaseSize = 384;

    private const double Gap = 6;

    /// <summary>
    /// How much further apart two objects are in one direction than in the other. So "left of" or "above" is plain.
    /// </summary>
    private const double PairMargin = 56;

    private static readonly SceneShape[] Shapes = Enum.GetValues<SceneShape>();
    private static readonly SceneColor[] Colors = Enum.GetValues<SceneColor>();

    /// <summary>
    /// Objects in the order of the caption: a pair from left to right or from top to bottom, more of them by colour,
    /// then by shape.
    /// </summary>
    public static IReadOnlyList<SceneObject> Arrange(SceneOptions options, ref SceneRandom random)
    {
        var unit = options.Size / BaseSize;
        var count = random.Between(options.MinObjects, options.MaxObjects);
        var objects = new List<SceneObject>();
        foreach (var (x, y, radius) in FindPlaces(count, ref random))
        {
            var (shape, color) = ChooseKind(objects, ref random);
            var tilt = random.Between(-0.09, 0.09);
            objects.Add(new SceneObject(objects.Count, shape, color, x * unit, y * unit, radius * unit, tilt));
        }

        if (count <= 2)
        {
            return objects;
        }

        var sorted = objects.OrderBy(item => item.Color).ThenBy(item => item.Shape);
        return [.. sorted.Select((item, id) => item with { Id = id })];
    }

    /// <summary>True if the pair is read from left to right, false if from top to bottom.</summary>
    public static bool IsSideBySide(SceneObject first, SceneObject second) =>
        Math.Abs(first.CenterX - second.CenterX) > Math.Abs(first.CenterY - second.CenterY);

    private static List<(double X, double Y, double Radius)> FindPlaces(int count, ref SceneRandom random)
    {
        if (count == 1)
        {
            // One of nine places, clearly.
            var (column, row) = (random.Next(3), random.Next(3));
            var radius = random.Between(72.0, 96.0);
            double Place(int third, ref SceneRandom random) =>
                Math.Clamp(96 + (96 * third) + random.Between(-18.0, 18.0), radius + 2, BaseSize - radius - 2);
            return [(Place(column, ref random), Place(row, ref random), radius)];
        }

        while (true)
        {
            var places = Scatter(count, ref random);
            if (count > SceneOptions.MaxDescribed)
            {
                return places;
            }

            if (places.Count == count && (count > 2 || IsPlainPair(places)))
            {
                return places;
            }
        }
    }

    private static List<(double X, double Y, double Radius)> Scatter(int count, ref SceneRandom random)
    {
        const int TriesPerObject = 30;
        var (smallest, largest) = count switch
        {
            2 => (70.0, 92.0),
            3 => (66, 84),
            4 => (64, 74),
            _ => (44, 64),
        };
        var places = new List<(double X, double Y, double Radius)>();
        for (var tries = count * TriesPerObject; tries > 0 && places.Count < count; tries--)
        {
            var radius = random.Between(smallest, largest);
            var x = random.Between(radius + 2, BaseSize - radius - 2);
            var y = random.Between(radius + 2, BaseSize - radius - 2);
            if (places.All(place => Square(place.X - x) + Square(place.Y - y) > Square(place.Radius + radius + Gap)))
            {
                places.Add((x, y, radius));
            }
        }

        return places;
    }

    /// <summary>Puts the left or upper place first, and checks that it is plain which of both it is.</summary>
    private static bool IsPlainPair(List<(double X, double Y, double Radius)> places)
    {
        var (across, down) = (places[1].X - places[0].X, places[1].Y - places[0].Y);
        if ((Math.Abs(across) > Math.Abs(down) ? across : down) < 0)
        {
            places.Reverse();
        }

        return Math.Abs(Math.Abs(across) - Math.Abs(down)) >= PairMargin;
    }

    /// <summary>A kind that the scene does not have yet, often with a shape or colour that it has.</summary>
    private static (SceneShape Shape, SceneColor Color) ChooseKind(List<SceneObject> objects, ref SceneRandom random)
    {
        const int SharedShapePercent = 25;
        const int SharedColorPercent = 15;
        while (true)
        {
            var sharesShape = objects.Count > 0 && random.Chance(SharedShapePercent);
            var shape = sharesShape ? random.Pick(objects).Shape : random.Pick(Shapes);
            var sharesColor = objects.Count > 0 && random.Chance(SharedColorPercent);
            var color = sharesColor ? random.Pick(objects).Color : random.Pick(Colors);
            if (!objects.Any(item => item.Shape == shape && item.Color == color))
            {
                return (shape, color);
            }
        }
    }

    private static double Square(double value) => value * value;
}
