namespace Tamx.Evaluation;

/// <summary>One setting of the method's main options.</summary>
/// <param name="Profile">The preset that the rest comes from.</param>
/// <param name="EciStrength">Share of the interference that ECI subtracts, 0 to 1; 0 is without ECI.</param>
/// <param name="Kernel">Side of the rank filter's window; 0 is without the filter.</param>
public sealed record MapSetting(TamProfile Profile, float EciStrength, int Kernel)
{
    /// <summary>Every profile with ECI at 0, 0.5 and 1, and the filter off, at 3 and at 5.</summary>
    public static IReadOnlyList<MapSetting> Sweep { get; } =
    [
        .. from profile in Enum.GetValues<TamProfile>()
        from strength in (float[])[0, 0.5f, 1]
        from kernel in (int[])[0, 3, 5]
        select new MapSetting(profile, strength, kernel),
    ];

    /// <summary>The setting as options of the method.</summary>
    public TamOptions ToOptions()
    {
        var preset = TamOptions.ForProfile(Profile);
        return preset with
        {
            ApplyEci = EciStrength > 0,
            EciStrength = EciStrength,
            ApplyFilter = Kernel > 0,
            KernelSize = Kernel > 0 ? Kernel : preset.KernelSize,
        };
    }
}
