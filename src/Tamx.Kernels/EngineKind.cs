using System.ComponentModel;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Tamx.Kernels;

/// <summary>
/// The name of an implementation of <see cref="ITamEngine"/>. Those of this assembly are listed here;
/// <see cref="TamEngines.Register"/> adds others.
/// </summary>
[JsonConverter(typeof(NameConverter))]
[TypeConverter(typeof(TextConverter))]
public readonly record struct EngineKind
{
    // Null for Auto, so that the default of this type is Auto.
    private readonly string? _name;

    /// <summary>Names an engine. It need not be part of this build.</summary>
    /// <param name="name">The name, in any case.</param>
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

    /// <summary>Names an engine, as the constructor does.</summary>
    public static implicit operator EngineKind(string name) => new(name);

    /// <summary>Whether a device is this engine's by its name: the engine's name and a number.</summary>
    /// <param name="device">The device's name, in any case.</param>
    public bool HasDevice(string device)
    {
        ArgumentNullException.ThrowIfNull(device);
        return device.Length > Name.Length
            && device.StartsWith(Name, StringComparison.OrdinalIgnoreCase)
            && device.AsSpan(Name.Length).IndexOfAnyExceptInRange('0', '9') < 0;
    }

    /// <inheritdoc/>
    public override string ToString() => Name;

    /// <summary>For configuration, which has texts alone.</summary>
    private sealed class TextConverter : TypeConverter
    {
        public override bool CanConvertFrom(ITypeDescriptorContext? context, Type sourceType) =>
            sourceType == typeof(string);

        public override object ConvertFrom(ITypeDescriptorContext? context, CultureInfo? culture, object value) =>
            new EngineKind((string)value);
    }

    private sealed class NameConverter : JsonConverter<EngineKind>
    {
        public override EngineKind Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            new(reader.GetString() ?? throw new JsonException("An engine has a name."));

        public override void Write(Utf8JsonWriter writer, EngineKind value, JsonSerializerOptions options) =>
            writer.WriteStringValue(value.Name);
    }
}
