namespace Tamx.Testing;

public sealed partial class WordVocabulary
{
    /// <summary>Words that captions of simple pictures are made of; the commonest first.</summary>
    private const string WordList = """
        a an the this that these those it its he she they we you i one two three four five six seven eight nine ten first second
        third last and or but not no yes with without in on at of to from by for as into over under above below behind beside
        between near next around across through along against inside outside left right top bottom middle center front back
        corner edge side up down away is are was were be has have had can could will would do does did there here where when
        what which who how why red green blue yellow orange purple pink brown black white gray golden silver dark light bright
        pale circle square triangle star heart cross ring diamond oval line dot cube ball box shape object big small large tiny
        tall short long wide narrow round flat thick thin deep high low new old young clean empty full wooden metal glass
        plastic paper stone soft hard smooth rough shiny open closed wet dry hot cold warm man woman boy girl child person
        people dog cat bird horse cow sheep fish bear elephant mouse rabbit duck car bus truck train bicycle boat plane road
        street bridge house building window door wall floor roof room kitchen garden park field table chair bed sofa desk lamp
        clock book phone cup plate bowl bottle knife fork spoon bag hat shoe shirt coat dress apple banana lemon pear grape
        cherry bread cake cheese egg rice soup salad pizza water milk coffee tea juice fruit food tree flower leaf grass sky
        cloud sun moon mountain hill river lake sea beach sand snow rain wind fire shadow background head face eye ear nose
        mouth hand arm leg foot hair tail wing image picture photo scene view color part group pair row piece stand stands
        standing sit sits sitting lie lies lying run runs running walk walks walking hold holds holding look looks looking wear
        wears eat eats eating drink drinks play plays playing show shows showing see sees seen ride rides riding fly flies rest
        rests hang hangs fall falls touch touches cover covers fill fills lean leans move moves turn turns very more most some
        many few all both each other another same only just also still almost slightly mostly together describe answer question
        word text number name please tell me my your his her their our thing place day night time world
        """;
}
