namespace Tamx.Evaluation.Tests;

public sealed class MapSettingTests
{
    [Fact]
    public void Sweep_HasEverySettingOnce()
    {
        Assert.Equal(27, MapSetting.Sweep.Count);
        Assert.Equal(27, MapSetting.Sweep.Distinct().Count());
    }

    [Fact]
    public void ToOptions_Setting_KeepsTheRestOfTheProfile()
    {
        var options = new MapSetting(TamProfile.Paper, 0.5f, 5).ToOptions();

        Assert.Equal(TamOptions.ForProfile(TamProfile.Paper) with { EciStrength = 0.5f, KernelSize = 5 }, options);
        var plain = new MapSetting(TamProfile.Tuned, 0, 0).ToOptions();
        Assert.False(plain.ApplyEci);
        Assert.False(plain.ApplyFilter);
        plain.Validate();
    }

    [Fact]
    public void Join_CountsEveryWordOnce()
    {
        var setting = MapSetting.Sweep[0];

        var joined = SettingScore.Join([
            new(setting, 3, 0.5, 1, 0.2, null, 0),
            new(setting, 1, 0.1, 0, 0.6, 0.5, 2),
            new(setting, 0, null, null, null, 1, 3),
        ]);

        Assert.Equal(4, joined.Nouns);
        Assert.Equal(0.4, joined.ObjIou!.Value, 1e-12);
        Assert.Equal(0.75, joined.Pointing!.Value, 1e-12);
        Assert.Equal(0.3, joined.Mass!.Value, 1e-12);
        Assert.Equal(0.8, joined.FunctionIou!.Value, 1e-12);
        Assert.Equal(5, joined.FunctionWords);
    }
}
