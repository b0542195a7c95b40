using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Tamx.Llama;
using Tamx.Llama.Gguf;

namespace Tamx;

/// <summary>
/// What was measured on a model with pictures whose objects are known: which method and layer have the truest maps, and
/// from which numbers a word counts as seen or as unsupported.
/// </summary>
/// <remarks>
/// It lies in a small JSON file beside the model, or in the user's cache where the model's folder cannot be written. It
/// belongs to one file: another quantization has a calibration of its own.
/// </remarks>
public sealed record ModelCalibration
{
    private const int MaxFileBytes = 1 << 20;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    /// <summary>The model's file name.</summary>
    public required string ModelFile { get; init; }

    /// <summary>Size of the model's files.</summary>
    public required long ModelBytes { get; init; }

    /// <summary>The model's number of weights, layers apart.</summary>
    public required long ParameterCount { get; init; }

    /// <summary>Quantization, for example <c>Q4_K_M</c>.</summary>
    public required string Quantization { get; init; }

    /// <summary>The method with the truest maps.</summary>
    public required MapMethod Method { get; init; }

    /// <summary>Its layer, from 0; -1 for the last hidden states.</summary>
    public required int Layer { get; init; }

    /// <summary>Whether ECI made them truer.</summary>
    public required bool ApplyEci { get; init; }

    /// <summary>Whether the rank filter made them truer.</summary>
    public required bool ApplyFilter { get; init; }

    /// <summary>Mean IoU of these maps of nouns and their objects, above Otsu's threshold.</summary>
    public required double ObjIou { get; init; }

    /// <summary>Share of these maps whose largest value lies on the object.</summary>
    public required double Pointing { get; init; }

    /// <summary>Nouns behind the figures.</summary>
    public required int WordCount { get; init; }

    /// <summary>The pictures, in words.</summary>
    public required string Data { get; init; }

    /// <summary>The layer whose logits best tell what is in a picture, from 0; -1 for the last.</summary>
    public int PresenceLayer { get; init; } = -1;

    /// <summary>
    /// AUROC of presence at that layer: of words that are in the picture against words that are not. Null where it was
    /// not measured.
    /// </summary>
    public double? PresenceAuroc { get; init; }

    /// <summary>A word whose picture gain is at least this is seen; null where it was not measured.</summary>
    public double? SeenGain { get; init; }

    /// <summary>Share of words that this threshold gets wrong, of seen and said words alike.</summary>
    public double? SeenError { get; init; }

    /// <summary>
    /// A word with at least this <see cref="WordSupport.Opposition"/> is unsupported; null where it was not measured.
    /// </summary>
    public double? UnsupportedOpposition { get; init; }

    /// <summary>Share of words that this threshold gets wrong, of right and wrong words alike.</summary>
    public double? UnsupportedError { get; init; }

    /// <summary>AUROC of the opposition: of wrong nouns against the right ones in their place.</summary>
    public double? UnsupportedAuroc { get; init; }

    /// <summary>Every method, layer and kind of maps that was compared.</summary>
    public IReadOnlyList<CalibrationRow> Profile { get; init; } = [];

    /// <summary>The calibration of a model; null where there is none.</summary>
    /// <param name="facts">The model.</param>
    /// <exception cref="InvalidInputException">There is a file, but it is none of Tamx's or of another model.</exception>
    public static ModelCalibration? Find(ModelFacts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        foreach (var path in (string[])[PathBeside(facts), PathInCache(facts)])
        {
            if (File.Exists(path))
            {
                return Load(path, facts);
            }
        }

        return null;
    }

    /// <summary>Saves it beside the model, or in the user's cache where that is not possible.</summary>
    /// <param name="facts">The model.</param>
    /// <returns>The file.</returns>
    /// <exception cref="IOException">Neither can be written.</exception>
    public string Save(ModelFacts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        try
        {
            Write(PathBeside(facts));
            return PathBeside(facts);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            var path = PathInCache(facts);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            Write(path);
            return path;
        }
    }

    /// <summary>The method's options with what was measured: method, layer, ECI and filter.</summary>
    /// <param name="options">The other options.</param>
    public TamOptions Apply(TamOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return options with { Method = Method, Layer = Layer, ApplyEci = ApplyEci, ApplyFilter = ApplyFilter };
    }

    /// <summary>A region that is looked at by the layer that tells best what is there.</summary>
    /// <param name="region">The region.</param>
    public PictureRegion Apply(PictureRegion region)
    {
        ArgumentNullException.ThrowIfNull(region);
        return region.Use == RegionUse.LookAt ? region with { Layer = PresenceLayer } : region;
    }

    /// <summary>What follows from a word's numbers; null where thresholds were not measured.</summary>
    /// <param name="support">The word's numbers.</param>
    public WordVerdict? Judge(WordSupport support)
    {
        ArgumentNullException.ThrowIfNull(support);
        return (SeenGain, UnsupportedOpposition) switch
        {
            (null, _) or (_, null) => null,
            _ when support.Opposition >= UnsupportedOpposition => WordVerdict.Unsupported,
            _ when support.PictureGain >= SeenGain => WordVerdict.Seen,
            _ => WordVerdict.Said,
        };
    }

    /// <summary>In one line what maps it stands for, and on what they were measured.</summary>
    public string Describe() =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"calibrated on {Data}: {Apply(new TamOptions()).DescribeMethod()}, Obj-IoU {ObjIou:0.00}, pointing {Pointing:0.00} over {WordCount} nouns"
        );

    private static string PathBeside(ModelFacts facts) => facts.Path + ".tamx.json";

    private static string PathInCache(ModelFacts facts)
    {
        var name = SHA256.HashData(Encoding.UTF8.GetBytes(Path.GetFullPath(facts.Path)));
        return Path.Combine(CacheFolder.Path, "tamx", "calibration", $"{Convert.ToHexStringLower(name)[..32]}.json");
    }

    private static ModelCalibration Load(string path, ModelFacts facts)
    {
        ModelCalibration? calibration;
        try
        {
            if (new FileInfo(path).Length > MaxFileBytes)
            {
                throw Unusable(path, $"has more than {MaxFileBytes} bytes", null);
            }

            calibration = JsonSerializer.Deserialize<ModelCalibration>(File.ReadAllBytes(path), Json);
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
        {
            throw Unusable(path, $"cannot be read: {e.Message}", e);
        }

        if (calibration is null || !Enum.IsDefined(calibration.Method) || calibration.Layer >= facts.LayerCount)
        {
            throw Unusable(path, "is no calibration of this model", null);
        }

        return calibration.ModelBytes == facts.ByteCount && calibration.ParameterCount == facts.ParameterCount
            ? calibration
            : throw Unusable(path, $"is of another model than {Path.GetFileName(facts.Path)}", null);
    }

    private static InvalidInputException Unusable(string path, string fault, Exception? cause) =>
        new($"{path}: the model's calibration {fault}; calibrate it again, or remove the file", cause);

    private void Write(string path) => WholeFile.Write(path, stream => JsonSerializer.Serialize(stream, this, Json));
}

/// <summary>How true the maps of one method, layer and kind are.</summary>
/// <param name="Method">The method.</param>
/// <param name="Layer">The layer, from 0; -1 for the last.</param>
/// <param name="Maps">The steps applied: <c>raw</c>, <c>filter</c>, <c>eci</c> or <c>eci+filter</c>.</param>
/// <param name="ObjIou">Mean IoU of nouns.</param>
/// <param name="Pointing">Share of largest values on the object.</param>
public sealed record CalibrationRow(MapMethod Method, int Layer, string Maps, double ObjIou, double Pointing);
