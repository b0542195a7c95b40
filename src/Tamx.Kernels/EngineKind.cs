using System.Text.Json;
using System.Text.Json.Serialization;

namespace Tamx.Kernels;

/// <summary>Which implementation of <see cref="ITamEngine"/>: its name. There may be others than those listed here; see <see cref="TamEngine.Register"/>.</summary>
[JsonConverter(typeof(NameConverter))]
public readonly record struct EngineKind
{
    // Null for Auto, so that the default of this type is an engine.
    private readonly string? _name;

    /// <summary>The engine of a name, whether there is one in this build or not.</summary>
    /// <param name="name">The name; capital letters do not matter.</param>
    public EngineKind(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        var lower = name.ToLowerInvariant();
        _name = lower == Auto.Name ? null : lower;
    }

    /// <summary>The best that works on this machine.</summary>
    public static EngineKind Auto => default;

    /// <summary>Plain scalar loops with float64 sums: the definition of the results.</summary>
    public static EngineKind Reference { get; } = new("reference");

    /// <summary>SIMD and threads.</summary>
    public static EngineKind Cpu { get; } = new("cpu");

    /// <summary>An OpenCL device.</summary>
    public static EngineKind OpenCl { get; } = new("opencl");

    /// <summary>A CUDA device.</summary>
    public static EngineKind Cuda { get; } = new("cuda");

    /// <summary>Its name, in lower case; <c>auto</c> for <see cref="Auto"/>.</summary>
    public string Name => _name ?? "auto";

    /// <summary>The engine of a name, as the constructor gives it.</summary>
    public static implicit operator EngineKind(string name) => new(name);

    /// <summary>Tells whether a device is one of this engine's by its name: the engine's, and a number.</summary>
    /// <param name="device">The device's name; capital letters do not matter.</param>
    public bool HasDevice(string device)
    {
        ArgumentNullException.ThrowIfNull(device);
        return device.Length > Name.Length
            && device.StartsWith(Name, StringComparison.OrdinalIgnoreCase)
            && device.AsSpan(Name.Length).IndexOfAnyExceptInRange('0', '9') < 0;
    }

    /// <inheritdoc/>
    public override string ToString() => Name;

    private sealed class NameConverter : JsonConverter<EngineKind>
    {
        public override EngineKind Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            new(reader.GetString() ?? throw new JsonException("An engine has a name."));

        public override void Write(Utf8JsonWriter writer, EngineKind value, JsonSerializerOptions options) => writer.WriteStringValue(value.Name);
    }
}
